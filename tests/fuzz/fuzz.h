/*
 * One mouth of the gateway, fed with bytes that nobody chose: it must end, stay inside its memory, and keep what it promises
 * (`must`). libFuzzer calls it in the preset `fuzz`; in every other build replay.c does, with the files of corpus/NAME and
 * mutations of them that are the same in each run.
 */
#pragma once

#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/text.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size); /* 0 */
