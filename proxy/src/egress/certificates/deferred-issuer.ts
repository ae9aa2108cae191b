import type { CertificateIssuer } from '../index.ts'
import { createCertificateIssuer } from './issuer.ts'

/** An issuer whose keys are made, and whose library is loaded, with the first sandbox: a daemon listens before that. */
export interface DeferredIssuer extends CertificateIssuer {
  /** To be awaited before anything else of it. */
  ready(): Promise<void>
}

export function createDeferredIssuer(create = createCertificateIssuer): DeferredIssuer {
  let issuer: CertificateIssuer | undefined
  let starting: Promise<void> | undefined
  const start = async (): Promise<void> => {
    try {
      issuer = await create()
    } catch (error) {
      // The next sandbox tries again.
      starting = undefined
      throw error
    }
  }
  const made = (): CertificateIssuer => {
    if (issuer === undefined) throw new Error('the certificate authority is asked before it is ready')
    return issuer
  }
  return {
    ready() {
      starting ??= start()
      return starting
    },
    get caPem() {
      return made().caPem
    },
    contextFor: (host) => made().contextFor(host),
  }
}
