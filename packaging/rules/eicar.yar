/* The EICAR anti-malware test file: 68 bytes at the start of a file of at most 128 (eicar.org). Its
   text stands here in pieces, so that this file is not what it is about. */
rule eicar_test_file : test
{
	meta:
		description = "EICAR test file: harmless, made to be found"
	strings:
		$text = /X5O!P%@AP\[4\\PZX54\(P\^\)7CC\)7\}\$EICAR-[S]TANDARD-[A]NTIVIRUS-TEST-FILE!\$H\+H\*/
	condition:
		$text at 0 and filesize <= 128
}
