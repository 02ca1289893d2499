/* Scripts that fetch a program and run it. Each needs a means to fetch and a means to run in one small
   text; tools and pages that only mention one of them are left alone. */

rule powershell_download_and_run : dropper
{
	meta:
		description = "PowerShell that downloads and executes"
	strings:
		$fetch1 = "Net.WebClient" ascii wide nocase
		$fetch2 = "Invoke-WebRequest" ascii wide nocase
		$fetch3 = "Start-BitsTransfer" ascii wide nocase
		$load1 = ".DownloadString(" ascii wide nocase
		$load2 = ".DownloadFile(" ascii wide nocase
		$load3 = ".DownloadData(" ascii wide nocase
		$load4 = "-OutFile" ascii wide nocase
		$load5 = "-Destination" ascii wide nocase
		$run1 = /\bIEX\b/ ascii wide nocase
		$run2 = "Invoke-Expression" ascii wide nocase
		$run3 = "Start-Process" ascii wide nocase
		$run4 = "[Reflection.Assembly]::Load" ascii wide nocase
		$hide1 = /-w(indowstyle)? +hidden/ ascii wide nocase
		$hide2 = /-e(xecution)?p(olicy)? +bypass/ ascii wide nocase
		$hide3 = /-nop(rofile)? / ascii wide nocase
		$hide4 = "FromBase64String" ascii wide nocase
	condition:
		filesize < 256KB and uint16(0) != 0x5a4d and
		any of ($fetch*) and any of ($load*) and any of ($run*) and
		// an installer's script does the same in the open
		(any of ($hide*) or ($load1 and ($run1 or $run2)))
}

rule powershell_encoded_command : dropper suspicious
{
	meta:
		description = "a command line that hands PowerShell an encoded program"
		severity = "suspicious"
	strings:
		$line = /powershell(\.exe)?["']?( +-[a-z]+( +[a-z]+)?){0,6} +-e(nc|ncodedcommand|c)? +["']?[A-Za-z0-9+\/]{80}/ nocase
	condition:
		filesize < 256KB and $line
}

rule script_host_download_and_run : dropper
{
	meta:
		description = "VBScript or JScript that downloads a file and runs it"
	strings:
		$fetch1 = "MSXML2.XMLHTTP" ascii wide nocase
		$fetch2 = "MSXML2.ServerXMLHTTP" ascii wide nocase
		$fetch3 = "WinHttp.WinHttpRequest" ascii wide nocase
		$fetch4 = "Microsoft.XMLHTTP" ascii wide nocase
		$fetch5 = "URLDownloadToFile" ascii wide nocase
		$save1 = "ADODB.Stream" ascii wide nocase
		$save2 = "SaveToFile" ascii wide nocase
		$save3 = "Scripting.FileSystemObject" ascii wide nocase
		$run1 = "WScript.Shell" ascii wide nocase
		$run2 = "Shell.Application" ascii wide nocase
		$run3 = "ShellExecute" ascii wide nocase
		$make = /CreateObject|ActiveXObject/ ascii wide nocase
	condition:
		filesize < 512KB and uint16(0) != 0x5a4d and uint32(0) != 0xe011cfd0 and
		$make and any of ($fetch*) and any of ($save*) and any of ($run*)
}

rule hta_runs_a_command : dropper
{
	meta:
		description = "an HTML application that starts a program"
	strings:
		$hta = "<hta:application" ascii wide nocase
		$script = /<script[^>]{0,80}>/ ascii wide nocase
		$shell = /(WScript\.Shell|Shell\.Application)/ ascii wide nocase
		$run = /\.(Run|Exec|ShellExecute) ?[\("]/ ascii wide nocase
	condition:
		filesize < 512KB and $script and $shell and $run and ($hta or extension == "hta" or mime == "application/hta")
}

rule shell_download_and_run : dropper suspicious
{
	meta:
		description = "a shell script that fetches a program, makes it executable, and runs it"
		severity = "suspicious"
	strings:
		$shell = /#! ?\/[a-z\/]{2,60}\/(env )?(ba|da|a)?sh[ \n\r]/
		$fetch = /\b(wget|curl|tftp|ftpget)\b[^\n]{1,200}https?:\/\/[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}/
		$mode = /chmod +([0-7]{3,4}|[ugoa]*\+x)/
		$tmp = /(cd|\/)(\/tmp|\/var\/run|\/dev\/shm|\/var\/tmp)/
	condition:
		filesize < 64KB and $fetch and $mode and ($shell at 0 or $tmp or #fetch > 3)
}
