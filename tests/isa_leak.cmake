# Fails when an object that every CPU runs contains an instruction above the x86-64 baseline, or when an object of
# one instruction set defines a weak symbol that the linker could take for everybody's.
#   cmake -DOBJDUMP=... -DNM=... -DBASELINE=a.o|b.o -DKERNELS=avx2=c.o|avx512=d.o -P isa_leak.cmake
cmake_minimum_required(VERSION 3.21)

string(REPLACE "|" ";" baseline "${BASELINE}")
string(REPLACE "|" ";" kernels "${KERNELS}")
set(faults "")

# VEX and EVEX code: mnemonics in v, wide and mask registers; and what SSE3 to SSE4.2, POPCNT and BMI brought.
set(above "v[a-z]|popcnt|pshufb|phadd|palignr|pmulld|pmov[sz]x|round[sp][sd]|p?blendv|ptest|crc32|pext|pdep|mulx|[sr]arx|sh[lr]x|andn |haddp|movddup|lddqu")
set(pattern "^ *[0-9a-f]+:\t(${above})|%[yz]mm[0-9]|%k[0-7]")
foreach(object IN LISTS baseline)
  execute_process(COMMAND "${OBJDUMP}" -d --no-show-raw-insn "${object}" COMMAND grep -m 3 -E "${pattern}"
                  OUTPUT_VARIABLE found RESULTS_VARIABLE results ERROR_VARIABLE errors)
  list(GET results 0 disassembled)
  list(GET results 1 searched)
  if(searched EQUAL 0)
    list(APPEND faults "${object} is for every CPU but contains\n${found}")
  elseif(NOT disassembled EQUAL 0 OR NOT searched EQUAL 1)
    list(APPEND faults "${object}: cannot be searched: ${errors}")
  endif()
endforeach()

foreach(kernel IN LISTS kernels)
  string(REGEX MATCH "^([a-z0-9]+)=(.*)$" matched "${kernel}")
  set(isa "${CMAKE_MATCH_1}")
  set(object "${CMAKE_MATCH_2}")
  execute_process(COMMAND "${NM}" -C --defined-only "${object}" OUTPUT_VARIABLE symbols RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    list(APPEND faults "${object}: nm failed")
  endif()
  string(REGEX MATCHALL "[0-9a-f]+ [WVwvu] [^\n]*" weak "${symbols}")
  foreach(symbol IN LISTS weak)
    # DW.ref.* are addresses of exception routines, not code.
    if(NOT symbol MATCHES " DW\\.ref\\." AND NOT symbol MATCHES "${isa}[^a-z0-9]")
      list(APPEND faults "${object} may hand its ${isa} code to every CPU: ${symbol}")
    endif()
  endforeach()
endforeach()

if(faults)
  list(JOIN faults "\n" text)
  message(FATAL_ERROR "${text}")
endif()
list(LENGTH baseline count)
list(LENGTH kernels kernel_count)
message(STATUS "${count} baseline objects and ${kernel_count} kernel objects keep apart")
