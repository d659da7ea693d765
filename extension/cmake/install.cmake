# What `cmake --install` puts where: the module and the static library side by side in the library directory,
# the headers, and what lets CMake and pkg-config find them, wherever the tree is moved to later.
include(CMakePackageConfigHelpers)

install(TARGETS isovec_module LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT module)
install(TARGETS isovec EXPORT isovecTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/isovec DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)

set(isovec_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/isovec)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/isovecConfig.cmake.in isovecConfig.cmake
                              INSTALL_DESTINATION ${isovec_package_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a new minor version may break what used the last one.
write_basic_package_version_file(isovecConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT isovecTargets NAMESPACE isovec:: DESTINATION ${isovec_package_dir} COMPONENT library)
install(FILES ${PROJECT_BINARY_DIR}/isovecConfig.cmake ${PROJECT_BINARY_DIR}/isovecConfigVersion.cmake
        DESTINATION ${isovec_package_dir} COMPONENT library)

# A C program that links the archive also needs what the C++ compiler links by itself.
set(isovec_cxx_runtime ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
list(REMOVE_ITEM isovec_cxx_runtime ${CMAKE_C_IMPLICIT_LINK_LIBRARIES})
list(TRANSFORM isovec_cxx_runtime PREPEND "-l")
list(JOIN isovec_cxx_runtime " " isovec_cxx_runtime)
set(isovec_pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH isovec_pc_prefix /prefix/${isovec_pc_dir} /prefix)
string(REGEX REPLACE "/$" "" isovec_pc_prefix ${isovec_pc_prefix})
configure_file(${CMAKE_CURRENT_LIST_DIR}/isovec.pc.in isovec.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/isovec.pc DESTINATION ${isovec_pc_dir} COMPONENT library)
