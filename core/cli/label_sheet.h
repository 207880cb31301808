/* Labels for a printer: a sheet of them as SVG or as HTML, three in a row, 70 mm by 37 mm each. Pure but for the output. */
#pragma once

#include "core/cli/labels.h"

void label_sheet_svg(FILE *out, const struct labels *labels);
void label_sheet_html(FILE *out, const struct labels *labels, const char *title);
