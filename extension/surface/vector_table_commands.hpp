#pragma once
// The commands of an isovec table: INSERT INTO t(t) VALUES ('<command>').
//
//   fit [column=NAME] [SPEC]        fits the declared transform, or SPEC, to the rows
//   transform [column=NAME]         takes the transform in the column `transform` of the same INSERT
//   unfit [column=NAME]             takes the transform away
//   optimize                        fills free slots from the end and gives the pages behind back
//   rebuild                         makes everything anew that follows from rows, vectors and transforms
//   integrity-check                 an error that says what is damaged, if anything is

#include <string>

#include "db/value.hpp"
#include "surface/vector_table.hpp"

namespace isovec::surface {

/// Runs a command. Throws Error that says what is wrong with it, and lists what there is.
void run_command(VectorTable& table, const std::string& command, db::Value transform);

}  // namespace isovec::surface
