{{- /* Not .Chart.Name: the released chart is called after its repository, thoth-chart. */}}
{{- define "thoth.name" -}}
{{- default "thoth" .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "thoth.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "thoth.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "thoth.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "thoth.selector" -}}
app.kubernetes.io/name: {{ include "thoth.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "thoth.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "thoth.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "thoth.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "thoth.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "thoth.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag }}
{{- .Values.image.repository }}:{{ $tag }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ end }}
{{- end }}

{{- define "thoth.secret" -}}
{{- default (include "thoth.fullname" .) .Values.secrets.existingSecret }}
{{- end }}

{{- /* The names of the secrets that are mounted. */}}
{{- define "thoth.secretKeys" -}}
{{- if .Values.secrets.existingSecret }}
{{- toJson (sortAlpha .Values.secrets.keys) }}
{{- else }}
{{- toJson (keys .Values.secrets.values | sortAlpha) }}
{{- end }}
{{- end }}

{{- /* Whether several pods may run: then their stores are apart. */}}
{{- define "thoth.checkReplicas" -}}
{{- $many := or .Values.autoscaling.enabled (gt (int .Values.replicas) 1) }}
{{- if and $many .Values.persistence.enabled }}
{{- fail "Several pods can not share one SQLite database: set replicas to 1 and autoscaling.enabled to false, or persistence.enabled to false." }}
{{- end }}
{{- if and $many (not (has "THOTH_ADMIN_KEY" (include "thoth.secretKeys" . | fromJsonArray))) }}
{{- fail "Several pods know no common client key: give the secret THOTH_ADMIN_KEY (secrets.keys or secrets.values)." }}
{{- end }}
{{- end }}
