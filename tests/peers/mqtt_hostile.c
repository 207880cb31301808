#include "tests/peers/mqtt_broker.h"

#define ROW(...)                                                                                                       \
	{                                                                                                              \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })                             \
	}

static const struct {
	const uint8_t *bytes;
	size_t size;
} rows[] = {
	ROW(0x00, 0x00),                                                /* a type that does not exist */
	ROW(0xF0, 0x00),                                                /* AUTH, which we did not begin */
	ROW(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF),                        /* a length of five bytes */
	ROW(0x30, 0x00),                                                /* PUBLISH of nothing */
	ROW(0x30, 0x01, 0x00),                                          /* half of a length */
	ROW(0x30, 0x04, 0xFF, 0xFF, 'a', 'b'),                          /* a topic that is longer than the packet */
	ROW(0x30, 0x03, 0x00, 0x00, 0x00),                              /* a topic of nothing */
	ROW(0x30, 0x06, 0x00, 0x03, 0xFF, 0xFE, 'x', 0x00),             /* a topic that is not UTF-8 */
	ROW(0x30, 0x06, 0x00, 0x03, 'a', 0x00, 'b', 0x00),              /* a topic with a NUL */
	ROW(0x30, 0x06, 0x00, 0x03, 'a', '/', '#', 0x00),               /* a topic with a wildcard */
	ROW(0x36, 0x06, 0x00, 0x01, 'a', 0x00, 0x01, 0x00),             /* QoS 3 */
	ROW(0x32, 0x06, 0x00, 0x01, 'a', 0x00, 0x00, 0x00),             /* packet identifier 0 */
	ROW(0x32, 0x03, 0x00, 0x01, 'a'),                               /* no packet identifier */
	ROW(0x30, 0x08, 0x00, 0x01, 'a', 0xFF, 0xFF, 0xFF, 0xFF, 0x7F), /* properties without end */
	ROW(0x30, 0x06, 0x00, 0x01, 'a', 0x02, 0x99, 0x01),             /* a property that does not exist */
	ROW(0x20, 0x03, 0x00, 0x00, 0x00),                              /* a second CONNACK */
	ROW(0x10, 0x00),                                                /* CONNECT, which is ours to say */
	ROW(0x82, 0x02, 0x00, 0x01),                                    /* SUBSCRIBE, too */
	ROW(0x90, 0x04, 0x77, 0x77, 0x00, 0x00),                        /* SUBACK of what we never asked */
	ROW(0x90, 0x02, 0x00, 0x01),                                    /* SUBACK without answers */
	ROW(0x40, 0x02, 0x77, 0x77),                                    /* PUBACK of what we never said */
	ROW(0x50, 0x02, 0x77, 0x77),                                    /* PUBREC, PUBREL, PUBCOMP */
	ROW(0x62, 0x02, 0x77, 0x77),
	ROW(0x70, 0x02, 0x77, 0x77),
	ROW(0x40, 0x00),       /* PUBACK of nothing */
	ROW(0xD0, 0x01, 0x00), /* PINGRESP with a body */
	ROW(0xE0, 0x01, 0x8B), /* DISCONNECT: the server is shutting down */
};

bool mqtt_broker_hostile(size_t n, const uint8_t **ret, size_t *ret_size)
{
	if (n >= sizeof(rows) / sizeof(rows[0]))
		return false;
	*ret = rows[n].bytes;
	*ret_size = rows[n].size;
	return true;
}
