#include "tests/peers/mqtt_broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* mqtt_broker FAULT [CODE]: prints its port and serves until its standard input ends. */
int main(int argc, char **argv)
{
	for (int fault = 0; argc > 1 && fault < MQTT_BROKER_FAULTS; fault++) {
		if (strcmp(argv[1], mqtt_broker_word(fault)) != 0)
			continue;
		struct mqtt_broker *b = mqtt_broker_new();
		mqtt_broker_fault(b, fault, argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 0);
		printf("%d\n", mqtt_broker_port(b));
		fflush(stdout);
		while (getchar() != EOF)
			;
		mqtt_broker_free(b);
		return 0;
	}
	fprintf(stderr, "usage: mqtt_broker FAULT [CODE], where FAULT is one of\n");
	for (int fault = 0; fault < MQTT_BROKER_FAULTS; fault++)
		fprintf(stderr, "  %s\n", mqtt_broker_word(fault));
	return 2;
}
