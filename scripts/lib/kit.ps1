# What the PowerShell scripts of the kit share: the same steps, words, files and exit codes as scripts/lib/*.sh, in
# which the reasons stand. For Windows PowerShell 5.1 and newer. The script that reads this has set $Kit, its own name, and
# $Dir, the folder of the installation.

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 2

$Failed = 1; $Down = 3; $Usage = 64; $Missing = 69; $Busy = 75; $Denied = 77; $Wrong = 78

$EnvFile = Join-Path $Dir '.env'
$KitFolder = Join-Path $Dir '.kit'
$Backups = Join-Path $Dir 'backups'
$LogFile = Join-Path $Dir 'logs\kit.log'
$JournalFile = Join-Path $KitFolder 'journal'
$WaitSeconds = 120
if ($env:THOTH_WAIT) { $WaitSeconds = [int]$env:THOTH_WAIT }
$KeepBackups = 10
if ($env:THOTH_KEEP_BACKUPS) { $KeepBackups = [int]$env:THOTH_KEEP_BACKUPS }
$NonInteractive = $false
$Yes = $false
$script:Said = ''; $script:Why = ''; $script:Ready = ''; $script:Lacking = ''
$script:LockHandle = $null
$script:Journal = $null

# --- telling ---------------------------------------------------------------------------------------------

function Protect-Text([string] $Text) {
    if (Test-Path $EnvFile) {
        foreach ($line in [IO.File]::ReadAllLines($EnvFile)) {
            if ($line -cmatch '^[A-Z0-9_]*(KEY|TOKEN|SECRET|PASSWORD|HEADERS)=(.{6,})$') { $Text = $Text.Replace($Matches[2], '[redacted]') }
        }
    }
    return [regex]::Replace($Text, '(sk-|AIza|thoth_)[A-Za-z0-9_-]{8,}', '[redacted]')
}

function Write-Log([string] $Text) {
    if (-not (Test-Path (Split-Path $LogFile))) { return }
    $time = [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ')
    [IO.File]::AppendAllText($LogFile, "$time $Kit[$PID] $(Protect-Text $Text)`n")
}

function Open-Log {
    $folder = Split-Path $LogFile
    if (-not (Test-Path $folder)) { [void](New-Item -ItemType Directory -Force $folder) }
    if ((Test-Path $LogFile) -and (Get-Item $LogFile).Length -gt 1048576) { Move-Item -Force $LogFile "$LogFile.1" }
    Write-Log "begins: $Kit"
    Protect-File $LogFile
}

function Say([string] $Text) { Write-Host $Text; Write-Log $Text }

function Warn([string] $Text) { [Console]::Error.WriteLine($Text); Write-Log "warning: $Text" }

# Ends the script: what is wrong, what to do next.
function Fail([int] $Code, [string[]] $Sentences) { throw [pscustomobject] @{ Code = $Code; Sentences = $Sentences } }

# Runs a script's work, tells how it ended, and ends with its exit code. What a change left is taken back first, also at Ctrl-C.
function Invoke-Kit([scriptblock] $Work) {
    $code = 0
    $over = $false
    try {
        & $Work
        $over = $true
    } catch {
        $end = $_.TargetObject
        if ($end -is [Management.Automation.PSCustomObject]) {
            $code = $end.Code
            foreach ($sentence in $end.Sentences) { Warn $sentence }
        } else {
            $code = $Failed
            Warn (Protect-Text $_.Exception.Message)
        }
    } finally {
        if (-not $over -and $script:Journal -and (Test-Path $JournalFile)) {
            try { Undo-Change } catch {
                $code = $Down
                Warn "The service could not be brought back: $(Protect-Text $_.Exception.Message)"
                Warn "The data is safe in $($script:Journal.backup). Put right what is said above and run this again; scripts/doctor.sh says more."
            }
        }
        if ($script:LockHandle) { $script:LockHandle.Dispose() }
        Write-Log "exit code $code"
    }
    exit $code
}

function Confirm-Step([string] $Question) {
    if ($Yes) { return $true }
    if ($NonInteractive) { return $false }
    return (Read-Host "$Question [y/N]") -match '^(y|yes)$'
}

# --- files -----------------------------------------------------------------------------------------------

# For this user alone.
function Protect-File([string] $Path) {
    & icacls $Path /inheritance:r /grant:r "$env:USERDOMAIN\${env:USERNAME}:F" | Out-Null
}

# The file holds the text, or what it held before.
function Write-Whole([string] $Path, [string] $Text) {
    $partial = "$Path.partial"
    $stream = New-Object IO.FileStream($partial, [IO.FileMode]::Create)
    try {
        $bytes = (New-Object Text.UTF8Encoding($false)).GetBytes($Text)
        $stream.Write($bytes, 0, $bytes.Length)
        $stream.Flush($true)
    } finally { $stream.Dispose() }
    Protect-File $partial
    if (Test-Path $Path) { [IO.File]::Replace($partial, $Path, [NullString]::Value) } else { [IO.File]::Move($partial, $Path) }
}

function Get-Setting([string] $Name) {
    $value = ''
    if (Test-Path $EnvFile) {
        foreach ($line in [IO.File]::ReadAllLines($EnvFile)) { if ($line.StartsWith("$Name=")) { $value = $line.Substring($Name.Length + 1) } }
    }
    return $value
}

function Set-Setting([string] $Name, [string] $Value) {
    $done = $false
    $lines = @(foreach ($line in [IO.File]::ReadAllLines($EnvFile)) {
            if (-not $line.StartsWith("$Name=")) { $line } elseif (-not $done) { $done = $true; "$Name=$Value" }
        })
    if (-not $done) { $lines += "$Name=$Value" }
    Write-Whole $EnvFile (($lines -join "`n") + "`n")
}

function Get-Lock {
    for ($tries = 0; $tries -lt 30; $tries++) {
        try {
            # Windows lets it go with the process.
            $script:LockHandle = [IO.File]::Open((Join-Path $KitFolder 'lock'), 'OpenOrCreate', 'ReadWrite', 'None')
            return
        } catch [IO.IOException] { Start-Sleep -Seconds 1 }
    }
    Fail $Busy "Another script is changing the installation in $Dir.", 'Wait until it has ended, and run this again.'
}

# --- Docker ----------------------------------------------------------------------------------------------

# Compose prefers these from the environment over .env, which alone says what this installation is.
foreach ($name in 'COMPOSE_FILE', 'COMPOSE_PROJECT_NAME', 'COMPOSE_PROFILES', 'PORT', 'THOTH_BIND', 'THOTH_DATA', 'THOTH_IMAGE', 'THOTH_USER') {
    [Environment]::SetEnvironmentVariable($name, $null)
}

# Runs docker; its output is in $script:Said, and what it returns says whether it did what it was told. No argument is ever a secret.
function Invoke-Docker([string[]] $Arguments) {
    $ErrorActionPreference = 'Continue'
    Write-Log "runs: docker $Arguments"
    $script:Said = (& docker @Arguments 2>&1 | ForEach-Object { "$_" }) -join "`n"
    $succeeded = $LASTEXITCODE -eq 0
    if (-not $succeeded) { Write-Log $script:Said }
    return $succeeded
}

function Get-Said([int] $Lines = 3) { return Protect-Text (($script:Said -split "`n" | Select-Object -Last $Lines) -join "`n") }

function Get-ComposeArguments([string[]] $Arguments) { return @('compose', '--ansi', 'never', '--progress', 'quiet') + $Arguments }

function Invoke-Compose([string[]] $Arguments) { return Invoke-Docker (Get-ComposeArguments $Arguments) }

# Runs the image's own program with a file as its standard input or output: PowerShell's own pipes would change the bytes.
function Invoke-Thoth([string[]] $Arguments, [string] $From, [string] $To, [string] $Image, [string] $Data) {
    $saved = @{ THOTH_IMAGE = $env:THOTH_IMAGE; THOTH_DATA = $env:THOTH_DATA }
    try {
        if ($Image) { $env:THOTH_IMAGE = $Image }
        if ($Data) { $env:THOTH_DATA = $Data }
        $line = 'docker ' + ((Get-ComposeArguments (@('run', '--rm', '--no-deps', '--no-TTY', 'thoth') + $Arguments)) -join ' ')
        if ($From) { $line += " < `"$From`"" } else { $line += ' < NUL' }
        if ($To) { $line += " > `"$To`"" }
        $ErrorActionPreference = 'Continue'
        Write-Log "runs: $line"
        $script:Said = (& cmd.exe /d /s /c "`"$line`"" 2>&1 | ForEach-Object { "$_" }) -join "`n"
        return $LASTEXITCODE -eq 0
    } finally {
        $env:THOTH_IMAGE = $saved.THOTH_IMAGE
        $env:THOTH_DATA = $saved.THOTH_DATA
    }
}

function Get-Project {
    $name = Get-Setting 'COMPOSE_PROJECT_NAME'
    if ($name) { return $name } else { return 'thoth' }
}

function Get-ContainerId {
    if (-not (Invoke-Compose 'ps', '--all', '--quiet', 'thoth')) { return '' }
    return ($script:Said -split "`n")[0].Trim()
}

function Get-ImageId([string] $Image) {
    if (Invoke-Docker 'image', 'inspect', '--format', '{{.Id}}', $Image) { return $script:Said.Trim() } else { return '' }
}

function Get-VersionOf([string] $Image) {
    # No quotes in the template: Windows PowerShell would lose them on the way.
    if (-not (Invoke-Docker 'image', 'inspect', '--format', '{{json .Config.Labels}}', $Image)) { return '' }
    $label = ($script:Said | ConvertFrom-Json).'org.opencontainers.image.version'
    if ($label) { return "v$($label.TrimStart('v'))" } else { return '' }
}

function Get-NameOf([string] $Image) {
    $version = Get-VersionOf $Image
    if ($version) { return $version } else { return $Image }
}

function Get-RepositoryOf([string] $Image) { return (($Image -split '@')[0]) -replace ':[^:/]*$', '' }

# Sees that this machine has the image; returns what a registry calls it, or nothing.
function Get-Image([string] $Image) {
    if ($Image -match '(^|@)(sha256:[0-9a-f]{64})$') {
        $digest = $Matches[2]
        if (Get-ImageId $Image) { return $digest }
    }
    if (-not (Invoke-Docker 'pull', $Image)) { return '' }
    if ($script:Said -match '(?m)^Digest: *(\S+)') { return $Matches[1] }
    return ''
}

function Get-Address {
    $bind = Get-Setting 'THOTH_BIND'
    $port = Get-Setting 'PORT'
    if (-not $bind -or $bind -in '0.0.0.0', '::', '[::]') { $bind = '127.0.0.1' }
    if (-not $port) { $port = '8000' }
    return "http://${bind}:$port"
}

# Asks the service from inside: $script:Ready is the status of /ready, $script:Lacking what is missing. Whether it answered.
function Test-Container([string] $Container) {
    $code = 'const ask=(path)=>fetch(`http://127.0.0.1:8000${path}`,{signal:AbortSignal.timeout(3000)});' +
    'Promise.all([ask(`/health`),ask(`/ready`)]).then(async([health,ready])=>{' +
    'if(health.status!==200)throw new Error(`/health answered ${health.status}`);console.log(ready.status);' +
    'const{missing=[]}=await ready.json();for(const{subject,problem,fix}of missing)console.log(`${subject}: ${problem}. ${fix}`);' +
    '}).catch((error)=>{console.error(error.cause?.code??error.message);process.exit(1)})'
    if (-not (Invoke-Docker 'exec', $Container, '/nodejs/bin/node', '-e', $code)) { $script:Why = Get-Said 1; return $false }
    $lines = $script:Said -split "`n"
    $script:Ready = $lines[0].Trim()
    $script:Lacking = ($lines | Select-Object -Skip 1) -join "`n"
    return $true
}

# Waits until the service in the container answers twice in a row; $script:Why says why it did not.
function Wait-Healthy([string] $Container) {
    $until = [DateTime]::UtcNow.AddSeconds($WaitSeconds)
    $steady = 0
    $restarts = $null
    while ($true) {
        $condition = 'gone 0 0'
        if (Invoke-Docker 'inspect', '--format', '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}', $Container) { $condition = $script:Said.Trim() }
        $status, $exitCode, $count = $condition -split ' '
        if ($null -eq $restarts) { $restarts = $count }
        if ($status -notin 'running', 'created') { $script:Why = "it ended with exit code $exitCode"; return $false }
        if ($count -ne $restarts) { $script:Why = 'it ended, and was started anew'; return $false }
        if (Test-Container $Container) { $steady++; if ($steady -ge 2) { return $true } } else { $steady = 0 }
        if ([DateTime]::UtcNow -ge $until) { $script:Why = "it did not get healthy within $WaitSeconds seconds: $($script:Why)"; return $false }
        Start-Sleep -Milliseconds 300
    }
}

function Get-LastWords([string] $Container) {
    [void](Invoke-Docker 'logs', '--tail', '15', $Container)
    return Protect-Text $script:Said
}

function Test-Address([string] $Url) {
    try {
        $answer = [Net.WebRequest]::Create($Url)
        $answer.Timeout = 5000
        $answer.Proxy = $null
        $answer.GetResponse().Dispose()
        return $true
    } catch { $script:Why = "$Url does not answer: $($_.Exception.Message)"; return $false }
}

# The container of an overlay's service that ends again and again, or nothing; $script:Why is what to say.
function Get-FailingCompanion {
    $served = Get-ContainerId
    if (-not (Invoke-Compose 'ps', '--all', '--quiet')) { return '' }
    foreach ($companion in @($script:Said -split "`n" | ForEach-Object { $_.Trim() } | Where-Object { $_ -and $_ -ne $served })) {
        if (-not (Invoke-Docker 'inspect', '--format', '{{.State.StartedAt}}', $companion)) { continue }
        $since = $script:Said.Trim()
        Start-Sleep -Seconds 1
        if (-not (Invoke-Docker 'inspect', '--format', '{{.State.Status}} {{.State.StartedAt}}', $companion)) { continue }
        $state = $script:Said.Trim()
        if ($state -eq "running $since" -or $state -like 'exited *') { continue }
        if (-not (Invoke-Docker 'inspect', '--format', '{{.Name}}', $companion)) { continue }
        $script:Why = "$($script:Said.Trim().TrimStart('/')) ends again and again."
        return $companion
    }
    return ''
}

# Starts what .env says and waits until it answers, from inside and from this machine.
function Start-Thoth {
    if (-not (Invoke-Compose 'up', '--detach', '--remove-orphans')) { $script:Why = "Docker could not start it: $(Get-Said)"; return $false }
    if (-not (Wait-Healthy (Get-ContainerId))) { return $false }
    for ($tries = 0; $tries -lt 5; $tries++) {
        if (Test-Address "$(Get-Address)/health") { return $true }
        Start-Sleep -Seconds 1
    }
    return $false
}

# --- backups ---------------------------------------------------------------------------------------------

# Backs up what is there now; returns the folder, or nothing, and $script:Why.
function New-Backup([string] $Image) {
    $version = Get-VersionOf $Image
    if (-not $version) { $version = 'unknown' }
    $partial = Join-Path $Backups '.partial'
    if (Test-Path $partial) { Remove-Item -Recurse -Force $partial }
    [void](New-Item -ItemType Directory -Force $partial)
    if (-not (Invoke-Thoth 'backup', '--output', '-' -To (Join-Path $partial 'data'))) {
        $script:Why = "the data could not be backed up: $(Get-Said)"
        return ''
    }
    Copy-Item $EnvFile (Join-Path $partial 'env')
    Copy-Item (Join-Path $Dir 'docker-compose.yml') $partial
    [IO.File]::WriteAllText((Join-Path $partial 'image'), "$Image`n")
    $sums = foreach ($name in 'data', 'env', 'docker-compose.yml', 'image') {
        "$((Get-FileHash -Algorithm SHA256 (Join-Path $partial $name)).Hash.ToLower())  $name`n"
    }
    [IO.File]::WriteAllText((Join-Path $partial 'SHA256SUMS'), ($sums -join ''))
    Get-ChildItem $partial | ForEach-Object { Protect-File $_.FullName }
    # Names go by the second: of two in one, the later waits.
    while ($true) {
        $backup = Join-Path $Backups "$([DateTime]::UtcNow.ToString('yyyyMMddTHHmmssZ'))-$version"
        if (-not (Test-Path $backup)) { break }
        Start-Sleep -Seconds 1
    }
    Move-Item $partial $backup
    Write-Log "backup $backup"
    return $backup
}

function Test-Backup([string] $Folder) {
    $sums = Join-Path $Folder 'SHA256SUMS'
    if (-not (Test-Path $sums)) { return $false }
    foreach ($line in [IO.File]::ReadAllLines($sums)) {
        $hash, $name = $line -split '  ', 2
        $path = Join-Path $Folder $name
        if (-not (Test-Path $path) -or (Get-FileHash -Algorithm SHA256 $path).Hash.ToLower() -ne $hash) { return $false }
    }
    return $true
}

# The names of the backups, the newest first.
function Get-BackupNames {
    if (-not (Test-Path $Backups)) { return @() }
    return @(Get-ChildItem -Directory $Backups | Where-Object { $_.Name -match '^\d+T\d+Z-' -and (Test-Path (Join-Path $_.FullName 'SHA256SUMS')) } |
            Sort-Object Name -Descending | ForEach-Object { $_.Name })
}

# The newest backup, of a version where one is named, of another than the present image where none is.
function Get-NewestBackup([string] $Version) {
    $present = Get-Setting 'THOTH_IMAGE'
    foreach ($name in Get-BackupNames) {
        $folder = Join-Path $Backups $name
        if ($Version) { if ($name.EndsWith("-$Version")) { return $folder } }
        elseif ([IO.File]::ReadAllText((Join-Path $folder 'image')).Trim() -ne $present) { return $folder }
    }
    return ''
}

function Remove-OldBackups {
    Get-BackupNames | Select-Object -Skip $KeepBackups | ForEach-Object {
        Write-Log "removes backup $_"
        Remove-Item -Recurse -Force (Join-Path $Backups $_)
    }
}

# --- the files that come with an image -------------------------------------------------------------------

function Get-KitFiles([string] $Image) {
    $new = Join-Path $KitFolder 'new'
    if (Test-Path $new) { Remove-Item -Recurse -Force $new }
    $holder = "$(Get-Project)-files"
    [void](Invoke-Docker 'rm', '--force', $holder)
    $whole = (Invoke-Docker 'create', '--name', $holder, $Image) -and (Invoke-Docker 'cp', "${holder}:/app/kit/.", $new)
    if (-not $whole) { $script:Why = "the image holds no kit: $(Get-Said 1)" }
    [void](Invoke-Docker 'rm', '--force', $holder)
    return $whole
}

function Test-Same([string] $One, [string] $Other) {
    return (Test-Path $One) -and (Test-Path $Other) -and (Get-FileHash $One).Hash -eq (Get-FileHash $Other).Hash
}

# Takes the files of .kit/new into use, the scripts only where asked: they never go back.
function Install-KitFiles([switch] $Scripts) {
    $new = Join-Path $KitFolder 'new'
    foreach ($item in Get-ChildItem -Recurse -File $new) {
        $file = $item.FullName.Substring($new.Length + 1)
        if ($file.Replace('\', '/') -like 'scripts/*' -and -not $Scripts) { continue }
        $target = Join-Path $Dir $file
        $shipped = Join-Path $KitFolder "shipped\$file"
        if ((Test-Path $target) -and -not (Test-Same $target $item.FullName) -and -not (Test-Same $target $shipped)) {
            Copy-Item -Force $item.FullName "$target.new"
            Warn "You changed ${file}: it stays, and the new one is beside it as $file.new."
            continue
        }
        foreach ($place in $target, $shipped) {
            if (Test-Same $place $item.FullName) { continue }
            [void](New-Item -ItemType Directory -Force (Split-Path $place))
            Copy-Item -Force $item.FullName "$place.partial"
            Move-Item -Force "$place.partial" $place
        }
    }
}

# --- a change of version or data, as a transaction: scripts/lib/change.sh --------------------------------

function Write-Step([string] $Step) {
    $script:Journal.step = $Step
    $names = 'step', 'from', 'to', 'data', 'settings', 'backup', 'was_ready'
    Write-Whole $JournalFile ((($names | ForEach-Object { "$_=$($script:Journal[$_])" }) -join "`n") + "`n")
    Write-Log "step $Step"
}

function Read-Journal {
    $script:Journal = @{ step = ''; from = ''; to = ''; data = ''; settings = ''; backup = ''; was_ready = '' }
    foreach ($line in [IO.File]::ReadAllLines($JournalFile)) {
        $name, $value = $line -split '=', 2
        $script:Journal[$name] = $value
    }
}

function Close-Journal {
    [void](Invoke-Docker 'rm', '--force', "$(Get-Project)-files")
    $new = Join-Path $KitFolder 'new'
    if (Test-Path $new) { Remove-Item -Recurse -Force $new }
    Remove-Item -Force $JournalFile
    $script:Journal = $null
}

function Get-TrialSource {
    if ((Get-Setting 'THOTH_DATA') -in '', 'thoth_data') { return 'thoth_trial' } else { return Join-Path $KitFolder 'trial' }
}

function Remove-Trial {
    $project = Get-Project
    [void](Invoke-Docker 'rm', '--force', "$project-trial")
    if ((Invoke-Docker 'ps', '--all', '--quiet', '--filter', "label=com.docker.compose.project=$project", '--filter', 'label=com.docker.compose.oneoff=True') -and $script:Said) {
        [void](Invoke-Docker (@('rm', '--force') + @($script:Said -split "`n")))
    }
    [void](Invoke-Docker 'volume', 'rm', '--force', "${project}_trial")
    foreach ($name in 'trial', 'trial.backup') {
        $path = Join-Path $KitFolder $name
        if (Test-Path $path) { Remove-Item -Recurse -Force $path }
    }
}

# Starts the new image on a copy of the data, out of anybody's reach.
function Test-OnCopy {
    Remove-Trial
    $to = $script:Journal.to
    $source = Get-TrialSource
    $copy = Join-Path $KitFolder 'trial.backup'
    if ($script:Journal.data -eq 'keep') {
        if (-not (Invoke-Thoth 'backup', '--output', '-' -To $copy)) { $script:Why = "the data could not be backed up: $(Get-Said)"; return $false }
        Protect-File $copy
    } else { $copy = Join-Path $script:Journal.data 'data' }
    if ($source -ne 'thoth_trial') { [void](New-Item -ItemType Directory -Force $source) }
    $env:THOTH_IMAGE = $to
    $env:THOTH_DATA = $source
    try {
        if (-not ((Invoke-Compose 'config') -and $script:Said.Contains("source: $source"))) {
            $script:Why = 'a compose file of your own mounts /app/data: set THOTH_DATA in .env in its place'
            return $false
        }
        if (-not (Invoke-Thoth 'restore', '-' -From $copy -Image $to -Data $source)) { $script:Why = "it can not take the data: $(Get-Said)"; return $false }
        $trial = "$(Get-Project)-trial"
        if (-not (Invoke-Compose 'run', '--detach', '--no-deps', '--name', $trial, 'thoth')) { $script:Why = Get-Said; return $false }
        if (-not (Wait-Healthy $trial)) {
            $reason = $script:Why
            Warn "The last lines of its log:`n$(Get-LastWords $trial)"
            $script:Why = $reason
            return $false
        }
    } finally {
        $env:THOTH_IMAGE = $null
        $env:THOTH_DATA = $null
    }
    if (-not (Test-AsReady)) { return $false }
    Remove-Trial
    return $true
}

function Test-AsReady {
    if ($script:Journal.was_ready -ne '200' -or $script:Ready -eq '200') { return $true }
    $script:Why = "it is not ready, and the version before was: $($script:Lacking)"
    return $false
}

function Restore-Data([string] $Folder, [string] $Image) {
    if (Invoke-Thoth 'restore', '-' -From (Join-Path $Folder 'data') -Image $Image) { Write-Log "restored the data of $(Split-Path -Leaf $Folder)"; return $true }
    $script:Why = "the data of $(Split-Path -Leaf $Folder) could not be restored: $(Get-Said)"
    return $false
}

# Puts the new image, its files and its data in place and starts it.
function Switch-Version {
    if ($script:Journal.data -ne 'keep' -and -not (Restore-Data $script:Journal.data $script:Journal.to)) { return $false }
    Install-KitFiles
    Set-Setting 'THOTH_IMAGE' $script:Journal.to
    return (Start-Thoth) -and (Test-AsReady)
}

function Complete-Change {
    Write-Step 'finish'
    if ((Test-Path (Join-Path $KitFolder 'new')) -or (Get-KitFiles $script:Journal.to)) { Install-KitFiles -Scripts }
    else { Warn "The scripts of $(Get-NameOf $script:Journal.to) could not be put in place." }
    Remove-OldBackups
    Remove-Trial
    Close-Journal
}

# Runs the image from now on; Data is "keep" or the folder of a backup. Invoke-Kit takes back what this does not finish.
function Invoke-Change([string] $To, [string] $Data) {
    $script:Journal = @{ step = ''; from = Get-Setting 'THOTH_IMAGE'; to = $To; data = $Data; settings = ''; backup = ''; was_ready = '' }
    $running = Get-ContainerId
    if ($running -and (Test-Container $running)) { $script:Journal.was_ready = $script:Ready }
    Write-Step 'fetch'
    if (-not (Get-KitFiles $To)) { Fail $Failed $script:Why, 'Nothing was changed.' }
    Write-Step 'trial'
    Say "Trying $(Get-NameOf $To) on a copy of the data"
    if (-not (Test-OnCopy)) { Fail $Failed "$(Get-NameOf $To) does not work here: $($script:Why)", 'The running version was not touched.' }
    Write-Step 'stop'
    Say 'Stopping and backing up'
    if (-not (Invoke-Compose 'stop', 'thoth')) { Fail $Failed "The service could not be stopped: $(Get-Said)" }
    $script:Journal.backup = New-Backup $script:Journal.from
    if (-not $script:Journal.backup) { Fail $Failed "No backup, no change: $($script:Why)" }
    Write-Step 'switch'
    Say "Starting $(Get-NameOf $To)"
    if (-not (Switch-Version)) { Fail $Failed "$(Get-NameOf $To) does not work here: $($script:Why)" }
    $backup = $script:Journal.backup
    Complete-Change
    return $backup
}

# --wait is for the new version; the one before gets at least the time that it has when nothing is said.
function Set-Patience { if ($script:WaitSeconds -lt 120) { $script:WaitSeconds = 120 } }

# The image, the files and the data of the backup again.
function Restore-Before {
    Set-Patience
    Write-Log "undoing: back to $($script:Journal.from)"
    [void](Invoke-Compose 'stop', '--timeout', '5', 'thoth')
    $stopped = Get-ContainerId
    $after = Join-Path $script:Journal.backup 'after'
    if ($stopped -and -not (Test-Path $after)) { [void](Invoke-Docker 'cp', "${stopped}:/app/data", $after) }
    Remove-Trial
    Set-Setting 'THOTH_IMAGE' $script:Journal.from
    if (Get-KitFiles $script:Journal.from) { Install-KitFiles }
    [void](Invoke-Compose 'rm', '--force', '--stop', 'thoth')
    if (-not ((Restore-Data $script:Journal.backup $script:Journal.from) -and (Start-Thoth))) { throw $script:Why }
    Close-Journal
}

# What a change that failed or was interrupted in this run needs.
function Undo-Change {
    if ($script:Journal.step -in 'fetch', 'trial') { Resume-Change; return }
    Say 'Going back to what was before'
    if ($script:Journal.step -eq 'switch') {
        try { Write-Step 'undo' } catch { $script:Journal.step = 'undo' }
        Restore-Before
    } else { Resume-Change }
    Say "$(Get-NameOf (Get-Setting 'THOTH_IMAGE')) runs again: $(Get-Address)"
}

# Finishes or undoes a change that was cut off.
function Resume-Change {
    if (-not (Test-Path $JournalFile)) { return }
    Read-Journal
    Set-Patience
    Write-Log "recovering from step $($script:Journal.step)"
    switch ($script:Journal.step) {
        { $_ -in 'fetch', 'trial' } { Remove-Trial; Close-Journal }
        'stop' {
            Remove-Trial
            [void](Invoke-Compose 'stop', 'thoth')
            if (-not (Start-Thoth)) { throw $script:Why }
            Close-Journal
        }
        'switch' {
            $running = Get-ContainerId
            $whole = $running -and (Invoke-Docker 'inspect', '--format', '{{.State.Running}} {{.Image}}', $running) -and
            $script:Said.Trim() -eq "true $(Get-ImageId $script:Journal.to)" -and (Start-Thoth)
            if ($whole) {
                Say "The change to $(Get-NameOf $script:Journal.to) was cut off and is now finished."
                Complete-Change
            } else {
                Write-Step 'undo'
                Restore-Before
            }
        }
        'undo' { Restore-Before }
        'finish' { Complete-Change }
    }
}

# Sees that there is something to work on, and that Docker answers; takes the lock; puts right what was cut off.
function Open-Installation {
    if (-not (Get-Setting 'THOTH_IMAGE')) { Fail $Wrong "Thoth is not installed in $Dir.", 'Run scripts/install.ps1 first, or the script of the folder it is in.' }
    if (-not (Invoke-Docker 'version', '--format', '{{.Server.Version}}')) {
        Fail $Missing "Docker does not answer: $(Get-Said 1)", 'Start Docker, and see that this user may use it.'
    }
    Open-Log
}

function Open-Change {
    Get-Lock
    try { Resume-Change } catch {
        $reason = $_.Exception.Message
        $backup = $script:Journal.backup
        $script:Journal = $null
        Fail $Down "The service could not be brought back: $reason", "The data is safe in $backup. Put right what is said above and run this again; scripts/doctor.sh says more."
    }
}

# The comment at the head of a script.
function Show-Help([string] $Script) {
    foreach ($line in [IO.File]::ReadAllLines($Script)) {
        if (-not $line.StartsWith('#')) { break }
        Write-Host ($line -replace '^# ?', '')
    }
}

function Stop-Usage([string] $Sentence) { Fail $Usage $Sentence, "scripts/$Kit.ps1 --help says what there is." }
