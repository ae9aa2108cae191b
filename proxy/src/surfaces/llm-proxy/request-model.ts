/** Where a request names its model outside of its body. */
const IN_PATH = [
  // Gemini and Vertex: /v1beta/models/gemini-2.5-pro:streamGenerateContent
  /\/models\/([^/:?]+)(?::|$)/,
  // Azure: /openai/deployments/my-gpt/chat/completions
  /\/deployments\/([^/?]+)(?:\/|$)/,
  // Bedrock: /model/anthropic.claude-sonnet-4/converse
  /^\/model\/([^/?]+)\//,
]

export function modelOfPath(path: string): string | null {
  if (!path.includes('/model') && !path.includes('/deployments/')) return null
  for (const form of IN_PATH) {
    const found = form.exec(path)?.[1]
    if (found !== undefined) return decoded(found)
  }
  return null
}

/** Realtime sessions name it in the query. */
export function modelOfQuery(query: string): string | null {
  if (!query.includes('model')) return null
  const all = new URLSearchParams(query).getAll('model')
  return all.length === 1 ? (all[0] ?? null) : null
}

/** Gemini's bodies say `models/NAME` for what its paths call NAME. */
export const plainModel = (name: string): string => name.replace(/^models\//, '')

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
