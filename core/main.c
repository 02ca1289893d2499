/* carved: watches directories of extracted files and sees to it that each is scanned once. */
#include "core/cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
