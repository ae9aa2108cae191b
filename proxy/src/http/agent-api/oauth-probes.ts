import type { RequestHandler } from 'express'
import { routeName, sendOAuthError } from './edge.ts'

/**
 * MCP clients that are refused look for an authorization server: its metadata (RFC 8414, RFC 9728, OpenID Connect Discovery), then the
 * endpoints that it would have by default. There is none. They read errors in OAuth's form only (RFC 6749, 5.2; RFC 7591, 3.2.2:
 * `error` is a string), and show the description; in any other form they show that they could not read it.
 */
const METADATA =
  /\/\.well-known\/(?:oauth-protected-resource|oauth-authorization-server|openid-configuration)(?:\/|$)/
const ENDPOINT =
  /^\/(?:mcp\/)?(?:oauth2?\/)?(?:register|authorize|token|revoke|introspect|device_authorization)\/?$/

const HOW =
  'oauth3 has no authorization server. Its agents hold a token (oa3_…): send it as "Authorization: Bearer …"; the owner makes one with: oauth3 agent add NAME'

/**
 * `invalid_client`, `unauthorized_client` and `invalid_grant` would make clients drop what they hold and try once more, so none of them
 * is said.
 */
export const oauthProbes: RequestHandler = (request, response, next) => {
  if (METADATA.test(request.path)) {
    routeName('/.well-known/*')(request, response, () => sendOAuthError(response, 404, 'not_found', HOW))
  } else if (ENDPOINT.test(request.path)) {
    routeName('/oauth/*')(request, response, () => sendOAuthError(response, 400, 'access_denied', HOW))
  } else next()
}
