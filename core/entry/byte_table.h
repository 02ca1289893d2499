/*
 * byte_table: a constant table of 256 entries out of a macro, where ISO C has no range designators.
 *
 *	#define CLASS(byte) ((byte) >= '0' && (byte) <= '9' ? DIGIT : 0)
 *	static const unsigned char classes[256] = BYTE_TABLE(CLASS);
 */
#ifndef CARVED_CORE_ENTRY_BYTE_TABLE_H
#define CARVED_CORE_ENTRY_BYTE_TABLE_H

#define BYTE_TABLE_4(f, b) f(b), f((b) + 1), f((b) + 2), f((b) + 3)
#define BYTE_TABLE_16(f, b)                                                     \
	BYTE_TABLE_4(f, b), BYTE_TABLE_4(f, (b) + 4), BYTE_TABLE_4(f, (b) + 8), \
		BYTE_TABLE_4(f, (b) + 12)
#define BYTE_TABLE_64(f, b)                                                          \
	BYTE_TABLE_16(f, b), BYTE_TABLE_16(f, (b) + 16), BYTE_TABLE_16(f, (b) + 32), \
		BYTE_TABLE_16(f, (b) + 48)
#define BYTE_TABLE(f)                                                             \
	{                                                                         \
		BYTE_TABLE_64(f, 0), BYTE_TABLE_64(f, 64), BYTE_TABLE_64(f, 128), \
			BYTE_TABLE_64(f, 192)                                     \
	}

#endif
