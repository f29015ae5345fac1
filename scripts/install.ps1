# Installs Thoth on this machine: Windows 10 or 11, with Docker Desktop.
#
#   install.ps1 [OPTION...]
#
#   --dir FOLDER        where the installation is (thoth in the user's folder, or THOTH_DIR)
#   --version VERSION   like v1.2.3; without it, the latest
#   --digest SHA256     refuse the image if its digest is another, as it stands in the release's notes
#   --image IMAGE       another source of the image, such as a mirror (docker.io/marcopancotti/thoth, or THOTH_MIRROR)
#   --unsigned          take an image without signature, such as your own, although cosign is here
#   --offline           take the image that this machine has already, and check no key
#   --port NUMBER       port of this machine (8000)
#   --bind ADDRESS      address of this machine (127.0.0.1: nobody else reaches it)
#   --project NAME      name of containers and volumes, for a second installation on this machine (thoth)
#   --data FOLDER       keep the data in a folder, in place of a volume of Docker's
#   --wait SECONDS      how long it may take to get healthy (120)
#   --skip-key-check    take the providers' keys as they are
#   --non-interactive   ask nothing. Keys come from OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY
#   --dry-run           check this machine and say what would be done
#   --uninstall         stop and remove Thoth; data, backups and settings stay
#   --purge             with --uninstall: those go too
#   --yes               do not ask before --purge
#   --help              print this
#
# It installs nothing but Thoth, and can be run again: what is there stays.
# Exit code: 0 done; 1 failed; 3 the service is down; 64 wrong command line; 69 Docker, memory, disk or the network
# is missing; 75 another script is at work; 77 not allowed; 78 a setting or a key is wrong.

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 2

$Failed = 1; $Usage = 64; $Missing = 69; $Denied = 77; $Wrong = 78
$LeastDocker = [version] '20.10'; $LeastCompose = [version] '2.20'
$LeastMemoryMb = 400; $LeastDiskMb = 600
$script:Said = ''; $script:Why = ''

function Fail([int] $Code, [string[]] $Sentences) {
    foreach ($sentence in $Sentences) { [Console]::Error.WriteLine($sentence) }
    exit $Code
}

function Invoke-Docker([string[]] $Arguments) {
    $ErrorActionPreference = 'Continue'
    $script:Said = (& docker @Arguments 2>&1 | ForEach-Object { "$_" }) -join "`n"
    return $LASTEXITCODE -eq 0
}

function Get-LastLine { return ($script:Said -split "`n")[-1] }

# Whether the release's own workflow signed the image; $script:Why says why not.
function Test-Signature([string] $Image) {
    $ErrorActionPreference = 'Continue'
    if (-not (Get-Command cosign -ErrorAction SilentlyContinue)) { return $true }
    if ($env:THOTH_COSIGN_KEY) { $identity = '--key', $env:THOTH_COSIGN_KEY, '--insecure-ignore-tlog' } # what a key signs is logged nowhere
    else {
        $identity = '--certificate-oidc-issuer', 'https://token.actions.githubusercontent.com', '--certificate-identity-regexp',
        '^https://github.com/marcopancotti/thoth/\.github/workflows/docker-publish\.yml@refs/tags/v'
    }
    $text = & cosign verify @identity $Image 2>&1 | ForEach-Object { "$_" }
    if ($LASTEXITCODE -eq 0) { return $true }
    $script:Why = "The signature of $Image can not be verified: $($text | Select-Object -Last 1)"
    return $false
}

# The options of the command line, by name; what is for configure.ps1 goes into the environment.
function Read-Options([object[]] $Words) {
    $options = @{
        dir = $env:THOTH_DIR; image = $env:THOTH_MIRROR; version = ''; digest = ''; port = ''; bind = ''; project = ''
        data = ''; wait = ''; unsigned = $false; offline = $false; 'skip-key-check' = $false; 'non-interactive' = $false
        'dry-run' = $false; uninstall = $false; purge = $false; yes = $false
    }
    if (-not $options.image) { $options.image = 'docker.io/marcopancotti/thoth' }
    if (-not $options.dir) { $options.dir = Join-Path $HOME 'thoth' }
    for ($n = 0; $n -lt $Words.Count; $n++) {
        $word = [string] $Words[$n]
        switch -CaseSensitive ($word) {
            { $_ -in '--dir', '--version', '--digest', '--image', '--port', '--bind', '--project', '--data', '--wait' } {
                if ($n + 1 -ge $Words.Count -or -not $Words[$n + 1]) { Fail $Usage "$word needs a value.", 'install.ps1 --help says what there is.' }
                $options[$word.Substring(2)] = [string] $Words[++$n]
                break
            }
            { $_ -in '--unsigned', '--offline', '--skip-key-check', '--non-interactive', '--dry-run', '--uninstall', '--purge', '--yes' } {
                $options[$word.Substring(2)] = $true
                break
            }
            { $_ -in '-h', '--help' } {
                foreach ($line in [IO.File]::ReadAllLines($PSCommandPath)) { if (-not $line.StartsWith('#')) { break } else { Write-Host ($line -replace '^# ?', '') } }
                exit 0
            }
            default { Fail $Usage "There is no option $word.", 'install.ps1 --help says what there is.' }
        }
    }
    if ($options.version -match '^\d') { $options.version = "v$($options.version)" }
    if ($options.version -notmatch '^[A-Za-z0-9._-]*$') { Fail $Usage '--version takes a version such as v1.2.3.' }
    if ($options.digest -and $options.digest -notmatch '^sha256:[0-9a-f]{64}$') { Fail $Usage '--digest takes sha256: and 64 digits.' }
    if ($options.image -notmatch '^[A-Za-z0-9./:_-]+$') { Fail $Usage '--image takes a name without tag and digest: see --version and --digest.' }
    if ($options.port -and -not ($options.port -match '^\d{1,5}$' -and [int] $options.port -ge 1 -and [int] $options.port -le 65535)) {
        Fail $Usage '--port takes a number from 1 to 65535.'
    }
    if ($options.project -and $options.project -cnotmatch '^[a-z0-9][a-z0-9_-]*$') { Fail $Usage '--project takes a name of small letters, digits, - and _.' }
    if ($options.wait -notmatch '^\d*$') { Fail $Usage '--wait takes whole seconds.' }
    if ($options.purge -and -not $options.uninstall) { Fail $Usage '--purge only goes with --uninstall.' }
    if ($options['dry-run'] -and $options.uninstall) { Fail $Usage '--dry-run does not go with --uninstall.' }
    $options.dir = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($options.dir)
    if ($options.data) { $options.data = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($options.data) }
    if ($options.offline) { $options['skip-key-check'] = $true }
    return $options
}

function Test-System {
    if ($env:OS -ne 'Windows_NT') { Fail $Missing 'This script is for Windows.', 'On Linux, macOS and WSL run scripts/install.sh.' }
}

function Test-Docker {
    if (-not (Get-Command docker -ErrorAction SilentlyContinue)) {
        Fail $Missing 'Docker is missing.', 'Install it (https://docs.docker.com/desktop/setup/install/windows-install/), then run this again.'
    }
    if (-not (Invoke-Docker 'version', '--format', '{{.Server.Version}} {{.Server.Arch}} {{.Server.Os}}')) {
        if ($script:Said -match 'permission denied|Access is denied') { Fail $Denied 'This user may not use Docker.', 'Add the user to the group docker-users, and log in anew.' }
        Fail $Missing "Docker does not answer: $(Get-LastLine)", 'Start it: Docker Desktop.'
    }
    $script:DockerVersion, $script:DockerArch, $os = (Get-LastLine) -split ' '
    if ([version] ($script:DockerVersion -replace '^(\d+\.\d+).*', '$1') -lt $LeastDocker) {
        Fail $Missing "Docker $LeastDocker or newer is needed, and this is $($script:DockerVersion).", 'https://docs.docker.com/engine/install/ has a newer one.'
    }
    if ($os -ne 'linux') { Fail $Missing 'Docker runs Windows containers here.', 'Switch it to Linux containers, in the menu of Docker Desktop.' }
    if ($script:DockerArch -notin 'amd64', 'arm64') {
        Fail $Missing "Thoth is made for amd64 and arm64, and Docker runs on $($script:DockerArch) here.", 'It needs another machine.'
    }
    if (-not (Invoke-Docker 'compose', 'version', '--short')) {
        Fail $Missing 'Docker Compose is missing ("docker compose").', 'Install its plugin: https://docs.docker.com/compose/install/'
    }
    $script:ComposeVersion = (Get-LastLine).TrimStart('v')
    if ([version] ($script:ComposeVersion -replace '^(\d+\.\d+).*', '$1') -lt $LeastCompose) {
        Fail $Missing "Docker Compose $LeastCompose or newer is needed, and this is $($script:ComposeVersion).", 'https://docs.docker.com/compose/install/ has a newer one.'
    }
}

function Test-Room([string] $Dir) {
    if ((Invoke-Docker 'info', '--format', '{{.MemTotal}}') -and (Get-LastLine) -match '^\d+$') {
        $memory = [math]::Floor([long] (Get-LastLine) / 1048576)
        if ($memory -lt $LeastMemoryMb) { Fail $Missing "Docker has $memory MB of memory here, and Thoth needs $LeastMemoryMb.", 'Give it more.' }
    }
    $place = $Dir
    while (-not (Test-Path $place)) { $place = Split-Path -Parent $place }
    $script:FreeMb = [math]::Floor((New-Object IO.DriveInfo ([IO.Path]::GetPathRoot($place))).AvailableFreeSpace / 1048576)
    if ($script:FreeMb -lt $LeastDiskMb) {
        Fail $Missing "There are $($script:FreeMb) MB free for $Dir, and $LeastDiskMb are needed.", 'Free some disk, or choose another folder with --dir.'
    }
    try {
        $probe = Join-Path $place ".thoth-$PID"
        [IO.File]::WriteAllText($probe, '')
        Remove-Item $probe
    } catch { Fail $Denied "This user may not write $place.", 'Choose another folder with --dir.' }
}

# Fetches the image; returns IMAGE:VERSION@DIGEST, or an id where no registry ever named it.
function Find-Image($Options) {
    $earlier = ''
    $envFile = Join-Path $Options.dir '.env'
    if (Test-Path $envFile) { foreach ($line in [IO.File]::ReadAllLines($envFile)) { if ($line -cmatch '^THOTH_IMAGE=(.+)$') { $earlier = $Matches[1] } } }
    if ($earlier) {
        if ($Options.version -notin '', 'latest' -and -not $earlier.Contains(":$($Options.version)@")) {
            Fail $Usage "$($Options.dir) has $(($earlier -split '@')[0]).", "To change the version: $($Options.dir)\scripts\update.ps1 $($Options.version)"
        }
        if (-not (Invoke-Docker 'image', 'inspect', $earlier) -and -not $Options.offline -and -not (Invoke-Docker 'pull', '--quiet', $earlier)) {
            Fail $Missing "$earlier can not be fetched.", 'Check the network, then run this again.'
        }
        return $earlier
    }
    $asked = "$($Options.image):$(if ($Options.version) { $Options.version } else { 'latest' })"
    if ($Options.digest) { $asked = "$($Options.image)@$($Options.digest)" }
    if ($Options.offline) {
        if (-not (Invoke-Docker 'image', 'inspect', '--format', '{{json .RepoDigests}}', $asked)) {
            Fail $Missing "This machine has no image $asked.", 'Bring it with "docker load", or leave --offline out.'
        }
        if ($script:Said -match '@(sha256:[0-9a-f]{64})') { $digest = $Matches[1] }
        else {
            [void](Invoke-Docker 'image', 'inspect', '--format', '{{.Id}}', $asked)
            return (Get-LastLine)
        }
    } else {
        Write-Host "Fetching $asked"
        if (-not (Invoke-Docker 'pull', $asked)) {
            Fail $Missing "$asked can not be fetched: $(Get-LastLine)", 'Check the version, the network and "docker login", then run this again.'
        }
        $digest = ''
        if ($script:Said -match '(?m)^Digest: *(\S+)') { $digest = $Matches[1] }
    }
    [void](Invoke-Docker 'image', 'inspect', '--format', '{{json .Config.Labels}}', $asked)
    $version = "v$(($script:Said | ConvertFrom-Json).'org.opencontainers.image.version'.TrimStart('v'))"
    if ($Options.version -match '^v.*\..*\.' -and $version -ne $Options.version) {
        Fail $Failed "The image $asked says that it is $($version.TrimStart('v')), and not $($Options.version).", 'Nothing was installed.'
    }
    return "$($Options.image):$version@$digest"
}

# The files that come with the image, into the folder.
function Copy-Kit([string] $Pin, $Options) {
    $inner = Join-Path $Options.dir '.kit'
    try { [void](New-Item -ItemType Directory -Force $inner) } catch { Fail $Denied "$($Options.dir) can not be made.", 'Choose another folder with --dir.' }
    & icacls $Options.dir /inheritance:r /grant:r "$env:USERDOMAIN\${env:USERNAME}:(OI)(CI)F" | Out-Null
    $new = Join-Path $inner 'new'
    if (Test-Path $new) { Remove-Item -Recurse -Force $new }
    $holder = "$(if ($Options.project) { $Options.project } else { 'thoth' })-files"
    [void](Invoke-Docker 'rm', '--force', $holder)
    $whole = (Invoke-Docker 'create', '--name', $holder, $Pin) -and (Invoke-Docker 'cp', "${holder}:/app/kit/.", $new)
    [void](Invoke-Docker 'rm', '--force', $holder)
    if (-not $whole) { Fail $Failed "$Pin is no image of Thoth, or $($Options.dir) can not be written.", 'Nothing was installed.' }
    Copy-Item -Recurse -Force (Join-Path $new 'scripts') $Options.dir
}

function Install-Thoth([object[]] $Words) {
    $options = Read-Options $Words
    $scripts = Join-Path $options.dir 'scripts'
    $env:THOTH_NON_INTERACTIVE = if ($options['non-interactive']) { 'yes' } else { '' }
    if ($options.uninstall) {
        if (-not (Test-Path (Join-Path $scripts 'uninstall.ps1'))) { Fail $Wrong "Thoth is not installed in $($options.dir).", 'Name its folder with --dir.' }
        $env:THOTH_PURGE = if ($options.purge) { 'yes' } else { '' }
        $env:THOTH_YES = if ($options.yes) { 'yes' } else { '' }
        & (Join-Path $scripts 'uninstall.ps1')
        exit $LASTEXITCODE
    }
    Test-System
    Test-Docker
    Test-Room $options.dir
    if ($options['dry-run']) {
        Write-Host "This machine has what Thoth needs: Docker $($script:DockerVersion) on $($script:DockerArch), Compose $($script:ComposeVersion), $($script:FreeMb) MB of disk."
        Write-Host "Would fetch $($options.image):$(if ($options.version) { $options.version } else { 'latest' })$(if ($options.digest) { " as $($options.digest)" }), lay it out in $($options.dir), ask for keys, and start it on $(if ($options.bind) { $options.bind } else { '127.0.0.1' }):$(if ($options.port) { $options.port } else { '8000' })."
        exit 0
    }
    $pin = Find-Image $options
    if (-not $options.unsigned -and $pin -match '^(.+):[^:/]+@(.+)$' -and -not (Test-Signature "$($Matches[1])@$($Matches[2])")) {
        Fail $Failed $script:Why, 'Nothing was installed.'
    }
    Copy-Kit $pin $options
    $env:THOTH_PORT = $options.port
    $env:THOTH_BIND_ADDRESS = $options.bind
    $env:THOTH_PROJECT = $options.project
    $env:THOTH_DATA_FOLDER = $options.data
    $env:THOTH_SKIP_KEY_CHECK = if ($options['skip-key-check']) { 'yes' } else { '' }
    if ($options.wait) { $env:THOTH_WAIT = $options.wait }
    & (Join-Path $scripts 'configure.ps1') --image $pin
    exit $LASTEXITCODE
}

Install-Thoth @($args)
