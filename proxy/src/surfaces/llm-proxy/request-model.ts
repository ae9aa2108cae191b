/** Where a request names its model outside of its body. */
const IN_PATH = [
  // Gemini and Vertex: /v1beta/models/gemini-2.5-pro:streamGenerateContent
  /\/models\/([^/:?]+)(?::|$)/,
  // Azure: /openai/deployments/my-gpt/chat/completions
  /\/deployments\/([^/?]+)(?:\/|$)/,
  // Bedrock: /model/anthropic.claude-sonnet-4/converse
  /^\/model\/([^/?]+)\//,
]

/** Google's way to call a method of a resource: `…/tunedModels/NAME:generateContent`. */
const ACTION = /:[A-Za-z]+$/

/**
 * Every name that a request gives to its model, in path, body and query. A null among them: the path acts on something
 * that may be a model, and which one cannot be told, whatever the body says.
 */
export function modelsNamed(path: string, ofBody: string | null, query: string): (string | null)[] {
  const ofPath = modelOfPath(path)
  const names = [ofPath, ofBody, modelOfQuery(query)].filter((name) => name !== null).map(plainModel)
  return [...new Set([...(ofPath === null && ACTION.test(path) ? [null] : []), ...names])]
}

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
const plainModel = (name: string): string => name.replace(/^models\//, '')

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
