"""Signing in: cloud metadata, OpenID discovery and tokens. Any credential is accepted, as there is nothing to guard."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from asrnet.emulator.calls import Call
from asrnet.emulator.messages import Document, Response, json_response
from asrnet.emulator.routing import Routes
from asrnet.emulator.signing import TOKEN_LIFETIME, access_token

routes: Final = Routes(open=True, versioned=False)

_SUFFIXES: Final = {
    "acrLoginServer": "azurecr.io",
    "storage": "core.windows.net",
    "keyVaultDns": "vault.azure.net",
    "sqlServerHostname": "database.windows.net",
    "azureFrontDoorEndpointSuffix": "azurefd.net",
    "mysqlServerEndpoint": "mysql.database.azure.com",
    "postgresqlServerEndpoint": "postgres.database.azure.com",
    "mariadbServerEndpoint": "mariadb.database.azure.com",
    "storageSyncEndpointSuffix": "afs.azure.net",
    "synapseAnalytics": "dev.azuresynapse.net",
    "attestationEndpoint": "attest.azure.net",
    "mhsmDns": "managedhsm.azure.net",
}


@routes.get("/metadata/endpoints", "Identity_CloudMetadata", "documented")
def get_cloud_metadata(call: Call) -> Response:
    """The endpoints of this cloud, all of which lead back to the emulator."""
    origin = call.request.origin
    elsewhere = ("portal", "gallery", "batch", "media", "sqlManagement", "vmImageAliasDoc", "activeDirectoryDataLake")
    resources = ("ossrDbmsResourceId", "logAnalyticsResourceId", "appInsightsResourceId", "attestationResourceId")
    document: Document = {
        "name": "asrnet",
        "resourceManager": origin,
        "authentication": {
            "loginEndpoint": origin,
            "audiences": [origin, f"{origin}/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "microsoftGraphResourceId": f"{origin}/",
        "graph": f"{origin}/",
        "graphAudience": f"{origin}/",
    }
    document |= {"galleryEndpoint": f"{origin}/", "graphEndpoint": f"{origin}/", "portalEndpoint": f"{origin}/"}
    document |= dict.fromkeys((*elsewhere, *resources, "synapseAnalyticsResourceId"), f"{origin}/")
    return json_response(document | {"suffixes": _SUFFIXES})


@routes.get("/{tenant}/v2.0/.well-known/openid-configuration", "Identity_OpenIdV2", "documented")
@routes.get("/{tenant}/.well-known/openid-configuration", "Identity_OpenId", "documented")
def get_openid_configuration(call: Call) -> Response:
    """The endpoints at which a tenant's clients sign in and obtain tokens."""
    base = f"{call.request.origin}/{call.values['tenant']}"
    return json_response(
        {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "offline_access"],
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "tenant_region_scope": "WW",
            "cloud_instance_name": call.request.host,
        }
    )


@routes.get("/{tenant}/discovery/v2.0/keys", "Identity_Keys", "documented")
def list_keys(call: Call) -> Response:
    """An empty list of keys, because nobody verifies the signatures of these tokens."""
    return json_response({"keys": [], "issuer": call.request.origin})


@routes.get("/common/discovery/instance", "Identity_Instance", "documented")
def get_instance(call: Call) -> Response:
    """The discovery document that locates a tenant."""
    endpoint = f"{call.request.origin}/common/v2.0/.well-known/openid-configuration"
    return json_response({"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": []})


@routes.post("/{tenant}/oauth2/v2.0/token", "Identity_TokenV2", "documented")
@routes.post("/{tenant}/oauth2/token", "Identity_Token", "documented")
def issue_token(call: Call) -> Response:
    """Issue a token for any credential: a client secret, a certificate or a federated assertion."""
    form = dict(parse_qsl(call.request.body.decode("utf-8", "replace")))
    if not form.get("grant_type"):
        description = "The request body must contain the parameter 'grant_type'."
        return json_response({"error": "invalid_request", "error_description": description}, status=400)
    audience = form.get("resource") or form.get("scope", "").split(" ")[0].removesuffix("/.default")
    return _issued(call, audience, form.get("client_id", ""))


@routes.get("/msi/token", "Identity_ManagedIdentity", "documented")
@routes.get("/metadata/identity/oauth2/token", "Identity_InstanceMetadata", "documented")
def issue_managed_identity_token(call: Call) -> Response:
    """Issue a token for a managed identity."""
    audience = call.request.parameters.get("resource", "")
    return _issued(call, audience, call.request.parameters.get("client_id", ""), numbers_as_text=True)


def _issued(call: Call, audience: str, client_id: str, *, numbers_as_text: bool = False) -> Response:
    now = int(call.world.clock.now())
    audience = audience or call.request.origin
    tenant = call.values.get("tenant", "common")
    # Terraform's azurerm reads the tenant from the token, and "common" is not a tenant.
    issued = access_token(
        audience=audience,
        tenant=call.world.tenant if tenant in {"common", "organizations"} else tenant,
        client_id=client_id,
        issuer=call.request.origin,
        now=now,
    )
    document: Document = {"token_type": "Bearer", "expires_in": TOKEN_LIFETIME, "ext_expires_in": TOKEN_LIFETIME}
    if numbers_as_text:  # The endpoint of managed identities writes numbers as text.
        document = {"token_type": "Bearer", "expires_in": str(TOKEN_LIFETIME), "expires_on": str(now + TOKEN_LIFETIME)}
        document |= {"resource": audience, "not_before": str(now)}
    return json_response(document | {"access_token": issued})
