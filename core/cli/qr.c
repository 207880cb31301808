#include "core/cli/qr.h"

#include <qrencode.h>

enum { QUIET = 4 }; /* modules around it, as the standard wants */

/* Neighbours become one bar: printers draw hair lines between squares. */
static void add_row(struct text *to, const QRcode *code, int y)
{
	const unsigned char *row = code->data + y * code->width;
	for (int x = 0; x < code->width;) {
		int n = 0;
		while (x + n < code->width && (row[x + n] & 1))
			n++;
		if (n)
			text_addf(to, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, n, n);
		x += n ? n : 1;
	}
}

int qr_path(const char *message, struct text *ret)
{
	QRcode *code = QRcode_encodeString8bit(message, 0, QR_ECLEVEL_M);
	if (!code)
		return -1;
	for (int y = 0; y < code->width; y++)
		add_row(ret, code, y);
	int side = code->width + 2 * QUIET;
	QRcode_free(code);
	return side;
}
