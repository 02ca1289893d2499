/* Office documents whose macros run by themselves. In the old format (OLE, MS-CFB) the names of the
   procedures stand in the compiled module as text; in the new one (OOXML, a zip) vbaProject.bin is
   packed, so only that it is there can be seen, and is reported where no macro should be. */

private rule ole_document
{
	condition:
		uint32be(0) == 0xd0cf11e0 and uint32be(4) == 0xa1b11ae1
}

private rule zip_office
{
	strings:
		$types = "[Content_Types].xml"
		$word = "word/"
		$excel = "xl/"
		$slides = "ppt/"
	condition:
		uint32be(0) == 0x504b0304 and $types and any of ($word, $excel, $slides)
}

rule office_macro_runs_by_itself : macro suspicious
{
	meta:
		description = "an OLE document with a macro that runs when it is opened"
		severity = "suspicious"
	strings:
		$vba1 = "_VBA_PROJECT" wide
		$vba2 = "VBA6" ascii wide
		$vba3 = "Attribut" ascii
		$auto1 = "AutoOpen" ascii wide nocase
		$auto2 = "Auto_Open" ascii wide nocase
		$auto3 = "Document_Open" ascii wide nocase
		$auto4 = "Workbook_Open" ascii wide nocase
		$auto5 = "AutoExec" ascii wide nocase
		$auto6 = "AutoClose" ascii wide nocase
		$auto7 = "Document_Close" ascii wide nocase
	condition:
		ole_document and any of ($vba*) and any of ($auto*)
}

rule office_macro_starts_programs : macro
{
	meta:
		description = "an OLE document with a macro that runs when it is opened and starts programs"
	strings:
		$vba = "_VBA_PROJECT" wide
		$auto1 = "AutoOpen" ascii wide nocase
		$auto2 = "Auto_Open" ascii wide nocase
		$auto3 = "Document_Open" ascii wide nocase
		$auto4 = "Workbook_Open" ascii wide nocase
		$run1 = "WScript.Shell" ascii wide nocase
		$run2 = "Shell.Application" ascii wide nocase
		$run3 = "powershell" ascii wide nocase
		$run4 = "URLDownloadToFile" ascii wide nocase
		$run5 = "MSXML2.XMLHTTP" ascii wide nocase
	condition:
		ole_document and $vba and any of ($auto*) and any of ($run*)
}

rule office_macro_in_zip : macro suspicious
{
	meta:
		description = "a document of the new format that has macros, under a type or extension that has none"
		severity = "suspicious"
	strings:
		$project = "vbaProject.bin"
	condition:
		zip_office and $project and
		not extension matches /^(doc|dot|xls|xlt|ppt|pot|pps)m$|^xlsb$|^xlam$|^ppam$/i and
		not mime matches /macroenabled/
}

rule office_macro_enabled : macro
{
	meta:
		description = "a document of the new format that has macros, as its name says"
		severity = "info"
	strings:
		$project = "vbaProject.bin"
	condition:
		zip_office and $project and
		(extension matches /^(doc|dot|xls|xlt|ppt|pot|pps)m$|^xlsb$|^xlam$|^ppam$/i or
		 mime matches /macroenabled/)
}
