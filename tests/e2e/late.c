/* late.c STOP: reads IVG_FIRST as the first thing, and IVG_AGAIN every millisecond until there is a file STOP. */
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	getenv("IVG_FIRST");
	while (argc > 1 && access(argv[1], F_OK)) {
		getenv("IVG_AGAIN");
		usleep(1000);
	}
	return 0;
}
