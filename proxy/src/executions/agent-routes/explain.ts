import type { z } from 'zod'
import type { explanationView } from '../../contracts/agent/index.ts'
import type { Agent } from '../../identity/agents/index.ts'
import type { Executions, Explanation } from '../index.ts'
import { parseExecuteBody } from './request-schema.ts'

/** Alike for HTTP and MCP: nobody is asked, and nothing is stored. */
export async function explainExecution(
  executions: Pick<Executions, 'explain'>,
  agent: Agent,
  body: unknown,
  signal: AbortSignal,
): Promise<z.infer<typeof explanationView>> {
  return viewExplanation(await executions.explain(agent, parseExecuteBody(body), signal))
}

function viewExplanation({
  capabilities,
  facts,
  card,
  consentHash,
  trusted,
}: Explanation): z.infer<typeof explanationView> {
  return {
    capabilities: capabilities.map((one) => ({ ...one, methods: [...one.methods], paths: [...one.paths] })),
    facts: [
      ...facts.requests.map(({ line, host, method, path, websocket, graphql }) => ({
        fact: 'request' as const,
        line,
        host,
        method,
        path,
        websocket,
        graphql,
      })),
      ...facts.dangers.map(({ kind, lines, detail }) => ({
        fact: 'danger' as const,
        kind,
        lines: [...lines],
        ...(detail === undefined ? {} : { detail }),
      })),
      ...facts.secrets.map(({ name, lines, goes }) => ({
        fact: 'secret' as const,
        name,
        lines: [...lines],
        goes: [...goes],
      })),
      ...facts.imports.map(({ line, specifier, dynamic }) => ({
        fact: 'import' as const,
        line,
        specifier,
        dynamic,
      })),
    ],
    warnings: card.warnings.map(({ kind, text }) => ({ kind, text })),
    sends: card.sends,
    changes: [...card.changes],
    missing_secrets: card.secrets.filter(({ missing }) => missing).map(({ name }) => name),
    trusted,
    consent_hash: consentHash,
  }
}
