# deploy/compose/vault.yml mounts this folder. The address of the vault comes from VAULT_ADDR.
auto_auth {
  method "approle" {
    config = {
      role_id_file_path                   = "/run/login/role_id"
      secret_id_file_path                 = "/run/login/secret_id"
      remove_secret_id_file_after_reading = false
    }
  }
}

template_config {
  exit_on_retry_failure         = true
  static_secret_render_interval = "1m"
}

# A field that the vault does not have makes an empty file: name only those that it has in .env.
template {
  contents    = "{{ with secret (env \"THOTH_VAULT_SECRET\") }}{{ with .Data.data.openai_api_key }}{{ . }}{{ end }}{{ end }}"
  destination = "/run/secrets/openai_api_key"
  perms       = "0444"
}

template {
  contents    = "{{ with secret (env \"THOTH_VAULT_SECRET\") }}{{ with .Data.data.anthropic_api_key }}{{ . }}{{ end }}{{ end }}"
  destination = "/run/secrets/anthropic_api_key"
  perms       = "0444"
}

template {
  contents    = "{{ with secret (env \"THOTH_VAULT_SECRET\") }}{{ with .Data.data.google_api_key }}{{ . }}{{ end }}{{ end }}"
  destination = "/run/secrets/google_api_key"
  perms       = "0444"
}

template {
  contents    = "{{ with secret (env \"THOTH_VAULT_SECRET\") }}{{ with .Data.data.thoth_admin_key }}{{ . }}{{ end }}{{ end }}"
  destination = "/run/secrets/thoth_admin_key"
  perms       = "0444"
}

# Last: it tells that the others are there.
template {
  contents    = "{{ with secret (env \"THOTH_VAULT_SECRET\") }}{{ .Data.metadata.version }}{{ end }}"
  destination = "/run/secrets/.ready"
  perms       = "0444"
}
