/** What the demo's agent asks for: code that proves that it holds the secret, without any network. */
export const DEMO_SECRET_NAME = 'DEMO_API_KEY'

const CODE = `// @skill demo/sign-message
// @description Signs a message with the key, then tries to print the key
// @secrets ${DEMO_SECRET_NAME}
const key = Deno.env.get("${DEMO_SECRET_NAME}") ?? ""
const { message } = JSON.parse(Deno.env.get("OAUTH3_ARGS") ?? "{}")

const encode = (text: string) => new TextEncoder().encode(text)
const hmac = await crypto.subtle.importKey(
  "raw", encode(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"],
)
const signature = await crypto.subtle.sign("HMAC", hmac, encode(message))

console.log("message   ", message)
console.log("signature ", new Uint8Array(signature).toHex())
console.log("the key   ", key)
`

export const DEMO_MESSAGE = 'hello from the sandbox'

export const DEMO_REQUEST = {
  skill_id: 'demo/sign-message',
  code: CODE,
  runtime: 'deno',
  secrets: [DEMO_SECRET_NAME],
  args: { message: DEMO_MESSAGE },
  metadata: { description: 'Signs a message with the key, then tries to print the key', timeout: 10 },
}
