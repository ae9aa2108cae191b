import type { RequestListener } from 'node:http'
import { afterEach, beforeEach } from 'vitest'
import { createGatewayKit, type GatewayKit } from './gateway-kit.ts'
import { startTlsUpstream, type TlsUpstream } from './tls-upstream.ts'

/** What each test has anew: one host over TLS, which answers as the test says, and a gateway that trusts it. */
export interface GatewayUpstream {
  kit: GatewayKit
  upstream: TlsUpstream
  answer: RequestListener
}

/** To be called once, where tests are declared. */
export function gatewayWithUpstream(host: string): GatewayUpstream {
  const here = {} as GatewayUpstream
  beforeEach(async () => {
    here.upstream = await startTlsUpstream([host], (request, response) => here.answer(request, response))
    here.kit = await createGatewayKit({ tls: { ca: here.upstream.ca } })
  })
  afterEach(async () => {
    await here.kit[Symbol.asyncDispose]()
    await here.upstream[Symbol.asyncDispose]()
  })
  return here
}
