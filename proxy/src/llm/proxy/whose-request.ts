import { readFields } from '../../egress/index.ts'
import { normalisePath } from '../providers/index.ts'
import type { LlmRequest } from './client.ts'
import { takeCredential } from './credentials.ts'
import { takeUpload } from './read-head.ts'

/** By what a request tells whose it is: its token, else the secret of an upload. Undefined where it tells nothing, or two things. */
export function identityOf(
  request: LlmRequest,
): { readonly token: string } | { readonly upload: string } | undefined {
  const target = normalisePath(request.url ?? '')
  const fields = readFields(request.rawHeaders)
  if ('problem' in target || fields === null) return undefined
  const [query, upload] = takeUpload(target.query)
  const taken = takeCredential(target.path, fields, query)
  if ('token' in taken) return { token: taken.token }
  return upload !== null && taken.problem === 'missing' ? { upload } : undefined
}
