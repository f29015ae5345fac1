# Stops and removes Thoth. Data, backups and settings stay, and install.ps1 takes them up again.
#
#   uninstall.ps1 [--purge] [--yes] [--non-interactive]
#
#   --purge              data, backups, settings and scripts go too, for good
#   --yes                do not ask before that
#   --non-interactive    ask nothing: --purge then needs --yes
#   --help               print this
#
# Exit code: 0 done; 1 failed; 64 wrong command line; 69 Docker is missing; 75 another script is at work; 77 not
# allowed; 78 not installed.

$Kit = 'uninstall'
$Dir = Split-Path -Parent $PSScriptRoot
. (Join-Path $PSScriptRoot 'lib\kit.ps1')
$words = @($args)

Invoke-Kit {
    $purge = [bool] $env:THOTH_PURGE
    $script:Yes = [bool] $env:THOTH_YES
    $script:NonInteractive = [bool] $env:THOTH_NON_INTERACTIVE
    foreach ($word in $words) {
        switch -CaseSensitive ([string] $word) {
            '--purge' { $purge = $true }
            '--yes' { $script:Yes = $true }
            '--non-interactive' { $script:NonInteractive = $true }
            { $_ -in '-h', '--help' } { Show-Help $PSCommandPath; return }
            default { Stop-Usage "There is no option $word." }
        }
    }
    Open-Installation
    if ($purge -and -not (Confirm-Step "Remove all data, backups and settings in $Dir for good?")) {
        Fail $Failed 'Nothing was removed.', 'Run it with --yes if that is meant.'
    }
    Get-Lock
    Remove-Trial
    if (-not $purge) {
        if (-not (Invoke-Compose 'down', '--remove-orphans')) { Fail $Failed "It could not be removed: $(Get-Said)" }
        Say "Thoth is removed. Data, backups and settings stay in $Dir and in Docker's volume; install.ps1 takes them up again."
        return
    }
    $data = Get-Setting 'THOTH_DATA'
    $image = Get-Setting 'THOTH_IMAGE'
    if (-not (Invoke-Compose 'down', '--remove-orphans', '--volumes')) { Fail $Failed "It could not be removed: $(Get-Said)" }
    [void](Invoke-Docker 'image', 'rm', $image)
    if ($data -and $data -ne 'thoth_data') { Warn "Its data in $data is yours, and stays." }
    # Only what came with Thoth, and what it made: the folder may hold files of the user's own.
    $shipped = Join-Path $KitFolder 'shipped'
    $files = @(Get-ChildItem -Recurse -File -Force $shipped | ForEach-Object { $_.FullName.Substring($shipped.Length + 1) })
    $script:LockHandle.Dispose()
    foreach ($file in $files) { foreach ($path in (Join-Path $Dir $file), (Join-Path $Dir "$file.new")) { if (Test-Path $path) { Remove-Item -Force $path } } }
    foreach ($name in 'backups', 'logs', '.kit', 'secrets', '.env') {
        $path = Join-Path $Dir $name
        if (Test-Path $path) { Remove-Item -Recurse -Force $path }
    }
    foreach ($name in 'scripts\lib', 'scripts', 'deploy\compose\caddy', 'deploy\compose', 'deploy') {
        $path = Join-Path $Dir $name
        if ((Test-Path $path) -and -not (Get-ChildItem -Force $path)) { Remove-Item $path }
    }
    Write-Host 'Thoth is removed.'
}
