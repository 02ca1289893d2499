/* Programs and scripts under a name or a type of something that is only looked at. "mime" is the type
   that the file's name declares, "extension" and "filename" are of the name. */

private rule program
{
	meta:
		description = "PE, ELF or Mach-O"
	condition:
		(uint16(0) == 0x5a4d and filesize > 0x40 and uint32(0x3c) < filesize and
		 uint32(uint32(0x3c)) == 0x00004550) or
		uint32(0) == 0x464c457f or
		uint32(0) == 0xfeedface or uint32(0) == 0xfeedfacf or
		uint32be(0) == 0xfeedface or uint32be(0) == 0xfeedfacf or
		// a fat binary; a Java class has a large number where this has the count of architectures
		(uint32be(0) == 0xcafebabe and uint32be(4) > 0 and uint32be(4) < 20)
}

private rule script
{
	meta:
		description = "a first line that names an interpreter, or a batch file"
	strings:
		$interpreter = /#! ?\/[a-z\/]{2,60}\/(env |env -S )?(ba|da|z|k|a)?sh[ \n\r]/
		$language = /#! ?\/[a-z\/]{2,60}\/(env |env -S )?(perl|python|ruby|php|node|pwsh)[0-9.]*[ \n\r]/
		$batch = /@echo off\r?\n/ nocase
	condition:
		$interpreter at 0 or $language at 0 or $batch at 0
}

private rule declared_passive
{
	meta:
		description = "the type that the name declares is an image, sound, film, font or document"
	condition:
		mime matches /^(image|audio|video|font)\// or
		mime matches /^application\/(pdf|rtf|msword|vnd\.ms-(excel|powerpoint|word|office)|vnd\.openxmlformats-officedocument|vnd\.oasis\.opendocument|epub)/ or
		extension matches /^(jpe?g|png|gif|bmp|tiff?|webp|ico|mp3|wav|ogg|mp4|avi|mkv|mov|ttf|woff2?|pdf|rtf|docx?|xlsx?|pptx?|od[tsp]|epub)$/i
}

rule program_declared_as_document
{
	meta:
		description = "a program under the type or extension of an image, a medium or a document"
	condition:
		program and declared_passive
}

rule program_declared_as_text : suspicious
{
	meta:
		description = "a program under the type or extension of text"
		severity = "suspicious"
	condition:
		program and (mime matches /^text\// or extension matches /^(txt|html?|csv|xml|json|log|md)$/i)
}

rule script_declared_as_document : suspicious
{
	meta:
		description = "a script under the type or extension of an image, a medium or a document"
		severity = "suspicious"
	condition:
		script and declared_passive
}

rule double_extension
{
	meta:
		description = "a name that shows one extension and has another, which runs: invoice.pdf.exe"
	condition:
		// spaces before the last one push it out of sight
		filename matches /\.(pdf|docx?|xlsx?|pptx?|rtf|txt|csv|jpe?g|png|gif|zip|mp3|mp4|html?) *\.(exe|scr|com|pif|bat|cmd|js|jse|vbs|vbe|wsf|wsh|hta|lnk|ps1|msi|jar|cpl)$/i
}

rule right_to_left_name
{
	meta:
		description = "a name with a mark that turns its end around (U+202E), so that it reads otherwise"
	condition:
		filename matches /\xe2\x80\xae/
}
