#pragma once

/// The one version number of isovec; CMakeLists.txt reads it from here.
#define ISOVEC_VERSION "0.1.0"
