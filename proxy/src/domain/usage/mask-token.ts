const TOKEN_BEGINS = Buffer.from('oa3_')

/** An agent that quotes its own token in a prompt does not hand it to the vendor. In place: the length stays. */
export function maskToken(body: Buffer, token: string): void {
  // Nearly no body holds one, and bytes are looked for faster than text.
  if (body.indexOf(TOKEN_BEGINS) === -1) return
  for (let at = body.indexOf(token); at !== -1; at = body.indexOf(token, at)) {
    body.fill('*', at, at + token.length)
  }
}
