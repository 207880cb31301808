/* A QR code (ISO 18004) as the path of an SVG: one unit a module, the quiet zone included. */
#pragma once

#include "core/base/text.h"

int qr_path(const char *message, struct text *ret); /* the side in modules; -1: it is too long for one */
