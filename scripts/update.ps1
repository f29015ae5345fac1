# Updates Thoth, and goes back by itself where the new version does not work.
#
#   update.ps1 [VERSION] [OPTION...]        VERSION like v1.2.3; without one, the latest
#
# The new version is first tried on a copy of the data while the old one runs. Then the old one is stopped, backed
# up, and replaced. Whatever fails, image and data of before are put back, and it says why.
#
#   --digest SHA256   refuse the image if its digest is another, as it stands in the release's notes
#   --unsigned        take an image without signature, such as your own, although cosign is here
#   --wait SECONDS    how long a version may take to get healthy, with the migration of its data (120)
#   --dry-run         say what would be done
#   --help            print this
#
# Exit code: 0 updated, or up to date already; 1 failed, and all is as before; 3 failed, and the service is down;
# 64 wrong command line; 69 Docker or the network is missing; 75 another script is at work; 77 not allowed;
# 78 not installed.

$Kit = 'update'
$Dir = Split-Path -Parent $PSScriptRoot
. (Join-Path $PSScriptRoot 'lib\kit.ps1')
. (Join-Path $PSScriptRoot 'lib\signature.ps1')
$words = @($args)

Invoke-Kit {
    $tag = ''; $wanted = ''; $unsigned = $false; $dryRun = $false
    for ($n = 0; $n -lt $words.Count; $n++) {
        $word = [string] $words[$n]
        if ($word -in '--digest', '--wait') {
            if ($n + 1 -ge $words.Count) { Stop-Usage "$word needs a value." }
            $value = [string] $words[++$n]
        }
        switch -Regex -CaseSensitive ($word) {
            '^--digest$' { $wanted = $value }
            '^--wait$' {
                if ($value -notmatch '^\d+$') { Stop-Usage '--wait takes whole seconds.' }
                $script:WaitSeconds = [int] $value
            }
            '^--unsigned$' { $unsigned = $true }
            '^--dry-run$' { $dryRun = $true }
            '^(-h|--help)$' { Show-Help $PSCommandPath; return }
            '^-' { if ($word -notin '--digest', '--wait', '--unsigned', '--dry-run') { Stop-Usage "There is no option $word." } }
            '^[^-]' {
                if ($tag) { Stop-Usage 'One version, please.' }
                $tag = $word
            }
        }
    }
    if ($tag -match '^\d') { $tag = "v$tag" }
    if ($wanted -and $wanted -notmatch '^sha256:[0-9a-f]{64}$') { Stop-Usage '--digest takes sha256: and 64 digits.' }

    Open-Installation
    $present = Get-Setting 'THOTH_IMAGE'
    $repository = Get-RepositoryOf $present
    $asked = "${repository}:$(if ($tag) { $tag } else { 'latest' })"
    if ($wanted) { $asked = "$repository@$wanted" }
    if ($dryRun) { Say "Would pull $asked, try it on a copy of the data, back up, and replace $(Get-NameOf $present)."; return }
    Open-Change
    Say "Fetching $asked"
    $digest = Get-Image $asked
    if (-not $digest) { Fail $Missing "$asked can not be fetched: $(Get-Said)", 'Check the version, the network and your login. Nothing was changed.' }
    $new = Get-VersionOf $asked
    if ($wanted -and $tag -and $tag -ne 'latest' -and $new -ne $tag) { Fail $Failed "The image $wanted is $new, and not $tag.", 'Nothing was changed.' }
    $target = "${repository}:$(if ($new) { $new } elseif ($tag) { $tag } else { 'latest' })@$digest"
    if ($present.EndsWith("@$digest")) {
        if (-not (Start-Thoth)) { Fail $Down "$new is installed already, and does not run: $($script:Why)", 'See scripts/doctor.sh.' }
        Say "Up to date: $new ($(Get-Address))"
        return
    }
    if (-not $unsigned -and -not (Test-Signature "$repository@$digest")) { Fail $Failed $script:Why, 'Nothing was changed.' }
    $before = Get-NameOf $present
    $backup = Invoke-Change $target 'keep'
    Say "Updated from $before to $(Get-NameOf $target): $(Get-Address)"
    Say "Back again: scripts/rollback.ps1 ($backup)"
}
