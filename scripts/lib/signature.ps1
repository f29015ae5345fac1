# The signature of a release, checked where cosign is installed. install.ps1, which may be alone on a machine, has the
# same function; a test keeps them equal.

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
