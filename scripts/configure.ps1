# Asks for the settings, writes them to .env, starts Thoth and waits until it answers. install.ps1 ends in it; run it
# again to change keys, port or address.
#
#   configure.ps1 [OPTION...]
#
#   --port NUMBER       port of this machine
#   --bind ADDRESS      address of this machine
#   --wait SECONDS      how long it may take to get healthy (120)
#   --skip-key-check    take the providers' keys as they are
#   --non-interactive   ask nothing. Keys come from OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY
#   --help              print this
#
# Exit code: 0 done; 1 failed; 3 the service is down; 64 wrong command line; 69 Docker is missing; 75 another script
# is at work; 77 not allowed; 78 a setting or a key is wrong.

$Kit = 'configure'
$Dir = Split-Path -Parent $PSScriptRoot
. (Join-Path $PSScriptRoot 'lib\kit.ps1')
$words = @($args)
$providers = 'OPENAI', 'ANTHROPIC', 'GOOGLE'

# What the user types, unseen.
function Read-Key([string] $Provider) {
    $keep = if (Get-Setting "${Provider}_API_KEY") { 'keeps the one that is there' } else { 'for none' }
    $typed = Read-Host -AsSecureString "$Provider API key (Enter $keep)"
    return (New-Object Net.NetworkCredential('', $typed)).Password
}

# The keys by their names, from the environment, the user, or .env.
function Read-Keys {
    $keys = @{}
    foreach ($provider in $providers) {
        $name = "${provider}_API_KEY"
        $key = [Environment]::GetEnvironmentVariable($name)
        if (-not $key -and -not $NonInteractive) { $key = Read-Key $provider }
        if ($key -and $key -notmatch '^[A-Za-z0-9._~+/=:-]+$') { Fail $Wrong "${provider}_API_KEY holds characters that no key has.", 'Copy the key alone, without quotes or blanks.' }
        if (-not $key) { $key = Get-Setting $name }
        $keys[$name] = "$key"
    }
    return $keys
}

# The image's own check of the keys, before they are written anywhere. They travel in the environment. A provider that can not
# be reached is no reason to stop: 69 of `thoth check-keys`.
function Test-Keys($Keys) {
    $names = @($Keys.Keys)
    if (-not ($names | Where-Object { $Keys[$_] })) { return $true }
    Say 'Checking the keys'
    foreach ($name in $names) { [Environment]::SetEnvironmentVariable($name, $Keys[$name]) }
    $arguments = @('run', '--rm', '--no-deps', '--no-TTY') + @($names | ForEach-Object { '-e', $_ }) + @('thoth', 'check-keys')
    try {
        if (Invoke-Compose $arguments) { return $true }
        if ($LASTEXITCODE -ne 69) { return $false }
        Warn (Protect-Text $script:Said)
        return $true
    } finally { foreach ($name in $names) { [Environment]::SetEnvironmentVariable($name, $null) } }
}

# Before the service runs for the first time, which else would make the first key and write it to Docker's log.
function New-FirstKey {
    if ((Get-Setting 'THOTH_ADMIN_KEY') -or (Get-Setting 'THOTH_ADMIN_KEY_FILE')) { return }
    if (-not (Invoke-Compose 'run', '--rm', '--no-deps', '--no-TTY', 'thoth', 'keys', 'list', '--json') -or $script:Said -notmatch '"keys":\[\]') { return }
    if (Invoke-Compose 'run', '--rm', '--no-deps', '--no-TTY', 'thoth', 'keys', 'create', '--name', 'first', '--scope', 'admin') {
        # To the user alone, not to the log.
        if ($script:Said -match '(?m)^thoth_\S+') { Write-Host "The first client key, for everything. It is shown this once:`n`n    $($Matches[0])`n" }
    }
}

function Use-Folder([string] $Folder) {
    if ($Folder -eq (Get-Setting 'THOTH_DATA')) { return }
    if (Get-ContainerId) { Fail $Usage 'Data does not move by itself.', 'Make a backup, uninstall with --purge, install with --data, and restore.sh the backup.' }
    try { [void](New-Item -ItemType Directory -Force $Folder) } catch { Fail $Denied "The folder $Folder can not be made.", 'Choose another one with --data.' }
    # Compose reads a path with slashes on every system.
    Set-Setting 'THOTH_DATA' $Folder.Replace('\', '/')
}

Invoke-Kit {
    $image = ''; $port = "$env:THOTH_PORT"; $bind = "$env:THOTH_BIND_ADDRESS"
    $skip = [bool] $env:THOTH_SKIP_KEY_CHECK
    $script:NonInteractive = [bool] $env:THOTH_NON_INTERACTIVE
    for ($n = 0; $n -lt $words.Count; $n++) {
        $word = [string] $words[$n]
        if ($word -in '--image', '--port', '--bind', '--wait') {
            if ($n + 1 -ge $words.Count) { Stop-Usage "$word needs a value." }
            $value = [string] $words[++$n]
        }
        switch -CaseSensitive ($word) {
            '--image' { $image = $value }
            '--port' { $port = $value }
            '--bind' { $bind = $value }
            '--wait' {
                if ($value -notmatch '^\d+$') { Stop-Usage '--wait takes whole seconds.' }
                $script:WaitSeconds = [int] $value
            }
            '--skip-key-check' { $skip = $true }
            '--non-interactive' { $script:NonInteractive = $true }
            { $_ -in '-h', '--help' } { Show-Help $PSCommandPath; return }
            default { Stop-Usage "There is no $word to take." }
        }
    }
    if ($port -and -not ($port -match '^\d{1,5}$')) { Stop-Usage '--port takes a number from 1 to 65535.' }
    if ($bind -and $bind -notmatch '^[0-9a-fA-F.:\[\]]+$') { Stop-Usage '--bind takes an IP address.' }

    if (-not (Test-Path $KitFolder)) { Fail $Wrong "Thoth is not installed in $Dir.", 'Run install.ps1.' }
    Open-Log
    Get-Lock
    if (Test-Path (Join-Path $KitFolder 'new')) {
        Install-KitFiles -Scripts
        Remove-Item -Recurse -Force (Join-Path $KitFolder 'new')
    }
    Resume-Change
    if (-not (Test-Path $EnvFile)) { Write-Whole $EnvFile ([IO.File]::ReadAllText((Join-Path $Dir '.env.example'))) }
    if ($image) { Set-Setting 'THOTH_IMAGE' $image }
    if (-not (Get-Setting 'THOTH_IMAGE')) { Fail $Wrong 'THOTH_IMAGE in .env is empty.', 'Run install.ps1.' }
    if ($env:THOTH_PROJECT) { Set-Setting 'COMPOSE_PROJECT_NAME' $env:THOTH_PROJECT }
    if ($port) { Set-Setting 'PORT' $port }
    if ($bind) { Set-Setting 'THOTH_BIND' $bind }
    if ($env:THOTH_DATA_FOLDER) { Use-Folder $env:THOTH_DATA_FOLDER }

    $running = Get-ContainerId
    $runs = $running -and (Invoke-Docker 'inspect', '--format', '{{.State.Running}}', $running) -and $script:Said.Trim() -eq 'true'
    if (-not $runs -and -not (Invoke-Compose 'run', '--rm', '--no-deps', '--no-TTY', '--service-ports', 'thoth', 'version')) {
        if ($script:Said -match 'already allocated|already in use|ports are not available') {
            Fail $Wrong "Another program listens at $(Get-Address).", "Choose another port: --port $([int] (Get-Setting 'PORT') + 1)"
        }
        Fail $Failed "The image does not start: $(Get-Said)", "See $LogFile."
    }

    $tries = 0
    while ($true) {
        $keys = Read-Keys
        if ($skip -or (Test-Keys $keys)) { break }
        Warn (Protect-Text $script:Said)
        $tries++
        if ($NonInteractive -or $tries -ge 3) {
            Fail $Wrong 'A key was not accepted, and none was written.', 'Mend it and run this again; --skip-key-check takes it as it is.'
        }
    }
    foreach ($name in @($keys.Keys)) {
        [Environment]::SetEnvironmentVariable($name, $null)
        if ($keys[$name] -and $keys[$name] -cne (Get-Setting $name)) { Set-Setting $name $keys[$name] }
    }

    if (-not $runs) { New-FirstKey }
    Say "Starting $(Get-NameOf (Get-Setting 'THOTH_IMAGE'))"
    if (-not (Start-Thoth)) {
        $reason = $script:Why
        $started = Get-ContainerId
        if ($started) { Warn "The last lines of its log:`n$(Get-LastWords $started)" }
        [void](Invoke-Compose 'down')
        Fail $Down "Thoth does not run: $reason", 'Nothing but its settings and data was left. Mend what is said above and run this again.'
    }
    Say "Thoth $(Get-NameOf (Get-Setting 'THOTH_IMAGE')) runs at $(Get-Address)"
    if ($script:Ready -ne '200') { Warn "It is not ready to serve yet.`n$($script:Lacking)" }
    $companion = Get-FailingCompanion
    if ($companion) {
        $reason = $script:Why
        Warn "The last lines of its log:`n$(Get-LastWords $companion)"
        Fail $Down "Thoth runs, and beside it $reason", 'Mend what is said above and run this again.'
    }
}
