"""What Schemathesis does here besides its own: requests reach each provider, and every answer is looked into."""

import os

import schemathesis

MODELS = ("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "google/gemini-2.5-flash")
SECRETS = os.environ["THOTH_FUZZ_SECRETS"].split(",")


@schemathesis.hook
def map_body(context, body):
    """Most names that are made up are of no model, and the request would go no further: three in four become one."""
    if isinstance(body, dict) and isinstance(body.get("model"), str):
        name = body["model"]
        which = sum(name.encode("utf-8", "surrogatepass")) % 4
        return {**body, "model": (*MODELS, name)[which]}
    return body


@schemathesis.check
def error_has_openai_shape(context, response, case):
    """Every error but that of /ready has OpenAI's shape, with a sentence in it and a code."""
    if response.status_code < 400 or case.method == "HEAD" or case.path == "/ready":
        return
    body = response.json()
    assert set(body) == {"error"}, f"members of an error: {sorted(body)}"
    error = body["error"]
    assert set(error) == {"message", "type", "param", "code"}, f"members of an error: {sorted(error)}"
    assert isinstance(error["message"], str) and len(error["message"]) > 10, "an error without a sentence"
    assert isinstance(error["type"], str) and isinstance(error["code"], str), "an error without type or code"


@schemathesis.check
def answer_holds_no_secret(context, response, case):
    """No key of a provider or of the operator, no path of the program's, no stack trace."""
    text = response.text + str(response.headers)
    for secret in (*SECRETS, "node:internal", "    at "):
        assert secret not in text, f"it holds what nobody may see: {secret}"


@schemathesis.check
def answer_has_request_id(context, response, case):
    """So that its line in the log can be found."""
    assert response.headers.get("x-request-id"), "no X-Request-Id"
