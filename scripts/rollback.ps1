# Goes back to an earlier version.
#
#   rollback.ps1 [VERSION | BACKUP] [OPTION...]     without either, the version before the last update
#
# The data stays as it is where the earlier version can read it, which is tried on a copy first: nothing that was
# written is lost. Where it can not, or BACKUP is named, the data goes back too. What is there now is backed up
# in either case.
#
#   --with-data       take the data of the version's last backup
#   --unsigned        take an image without signature where the version has no backup, although cosign is here
#   --wait SECONDS    how long the version may take to get healthy (120)
#   --list            list the backups, the newest first
#   --dry-run         say what would be done
#   --yes             do not ask before data goes back
#   --help            print this
#
# Exit code: 0 done; 1 failed, and all is as before; 3 failed, and the service is down; 64 wrong command line;
# 69 Docker or the network is missing; 75 another script is at work; 77 not allowed; 78 not installed, or there is
# no such backup.

$Kit = 'rollback'
$Dir = Split-Path -Parent $PSScriptRoot
. (Join-Path $PSScriptRoot 'lib\kit.ps1')
$words = @($args)

Invoke-Kit {
    $asked = ''; $withData = $false; $unsigned = $false; $dryRun = $false
    for ($n = 0; $n -lt $words.Count; $n++) {
        $word = [string] $words[$n]
        switch -Regex -CaseSensitive ($word) {
            '^--with-data$' { $withData = $true }
            '^--unsigned$' { $unsigned = $true }
            '^--wait$' {
                if ($n + 1 -ge $words.Count) { Stop-Usage "$word needs a value." }
                $value = [string] $words[++$n]
                if ($value -notmatch '^\d+$') { Stop-Usage '--wait takes whole seconds.' }
                $script:WaitSeconds = [int] $value
            }
            '^--list$' { Get-BackupNames | ForEach-Object { Write-Host $_ }; return }
            '^--dry-run$' { $dryRun = $true }
            '^--yes$' { $script:Yes = $true }
            '^(-h|--help)$' { Show-Help $PSCommandPath; return }
            '^-' { if ($word -notin '--with-data', '--unsigned', '--wait', '--dry-run', '--yes') { Stop-Usage "There is no option $word." } }
            '^[^-]' {
                if ($asked) { Stop-Usage 'One version or backup, please.' }
                $asked = $word
            }
        }
    }
    if ($asked -match '^\d+\.\d') { $asked = "v$asked" }

    Open-Installation
    if ($asked -match 'Z-') {
        $source = Join-Path $Backups (Split-Path -Leaf $asked)
        $withData = $true
        if (-not (Test-Path $source)) { Fail $Wrong "There is no backup $asked.", 'scripts/rollback.ps1 --list has what there is.' }
    } else { $source = Get-NewestBackup $asked }
    if ($source) {
        if (-not (Test-Backup $source)) { Fail $Wrong "The backup $source is damaged: its checksums do not match.", 'Take another one.' }
        $target = [IO.File]::ReadAllText((Join-Path $source 'image')).Trim()
    } elseif ($asked -and -not $withData) { $target = "$(Get-RepositoryOf (Get-Setting 'THOTH_IMAGE')):$asked" }
    else { Fail $Wrong "There is no backup to go back to$(if ($asked) { " with $asked" }).", 'Name a version: scripts/rollback.ps1 v1.2.3.' }

    if ($dryRun) {
        Say "Would back up what is there, and go back to $target$(if ($withData) { " with the data of $(Split-Path -Leaf $source)" })."
        return
    }
    if ($withData -and -not (Confirm-Step "Take the data of $(Split-Path -Leaf $source) in place of the present data (which is backed up)?")) {
        Fail $Failed 'The data would go back too.', 'Run this with --yes if that is meant. Nothing was changed.'
    }
    Open-Change
    Say "Fetching $target"
    $digest = Get-Image $target
    if (-not $digest) { Fail $Missing "$target can not be fetched: $(Get-Said)", 'Check the version and the network. Nothing was changed.' }
    if (-not $target.Contains('@')) { # out of a backup, it has run here before
        if (-not $unsigned -and -not (Test-Signature "$($target -replace ':[^:/]+$')@$digest")) { Fail $Failed $script:Why, 'Nothing was changed.' }
        $target = "$target@$digest"
    }
    $before = Get-NameOf (Get-Setting 'THOTH_IMAGE')
    $backup = Invoke-Change $target $(if ($withData) { $source } else { 'keep' })
    Say "Went back from $before to $(Get-NameOf $target): $(Get-Address)"
    Say "What was there before is in $backup"
}
