/** What the demo's agent asks for: code that uses a secret without ever having it, and then tries to go elsewhere. */
export const DEMO_SECRET_NAME = 'DEMO_API_KEY'

const CODE = `// @skill demo/call-api
// @description Calls the API with the key, then tries another host
// @secrets ${DEMO_SECRET_NAME}
const key = Deno.env.get("${DEMO_SECRET_NAME}") ?? ""
const { api, elsewhere } = JSON.parse(Deno.env.get("OAUTH3_ARGS") ?? "{}")

const headers = { authorization: \`Bearer \${key}\` }
async function send(url: string) {
  try {
    const answer = await fetch(url, { headers })
    const body = await answer.json()
    return \`\${answer.status} \${body.error?.rule ?? JSON.stringify(body)}\`
  } catch (error) {
    return String(error)
  }
}

console.log("I hold      ", key)
console.log("the API says", await send(api))
console.log("elsewhere   ", await send(elsewhere))
`

/** Never reached: it is not on the approved list. */
const ELSEWHERE = 'https://example.org/'

export const demoRequest = (apiOrigin: string) => ({
  skill_id: 'demo/call-api',
  code: CODE,
  runtime: 'deno',
  secrets: [DEMO_SECRET_NAME],
  args: { api: `${apiOrigin}/`, elsewhere: ELSEWHERE },
  metadata: {
    description: 'Calls the API with the key, then tries another host',
    network: [apiOrigin],
    timeout: 20,
  },
})
