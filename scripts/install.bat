@echo off
rem Installs Thoth on Windows 10 or 11: finds PowerShell and runs install.ps1 beside this file, with the same options.
rem It asks for administrator's rights only where the folder needs them (exit code 77 of install.ps1).
setlocal
set "script=%~dp0install.ps1"
set "shell=powershell.exe"
where pwsh.exe >nul 2>nul && set "shell=pwsh.exe"
where %shell% >nul 2>nul
if errorlevel 1 (
  echo PowerShell is missing: https://aka.ms/powershell 1>&2
  exit /b 69
)
if not exist "%script%" (
  echo install.ps1 is missing beside install.bat. 1>&2
  exit /b 69
)
%shell% -NoProfile -ExecutionPolicy Bypass -File "%script%" %*
set "code=%errorlevel%"
if not "%code%"=="77" exit /b %code%
net session >nul 2>nul
if not errorlevel 1 exit /b %code%
echo The folder needs administrator's rights: Windows asks for them now.
set "arguments=%*"
%shell% -NoProfile -ExecutionPolicy Bypass -Command "$p = Start-Process -Verb RunAs -Wait -PassThru '%shell%' -ArgumentList ('-NoProfile -ExecutionPolicy Bypass -File ""{0}"" {1}' -f $env:script, $env:arguments); exit $p.ExitCode"
exit /b %errorlevel%
