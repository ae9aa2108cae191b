import { wordSet } from '../../kernel/index.ts'

/**
 * Words of the vendors' requests, in lower case. Where a word may mean more than one thing, the stricter meaning
 * counts: a grant for some models, and a key that several agents use, are worth what is known here.
 */

/** Where something is said, tools are described, or the request itself goes on one level down. */
export const ZONES: Readonly<Record<'talk' | 'tools' | 'top', ReadonlySet<string>>> = {
  talk: wordSet(`
    messages contents content system instructions systeminstruction system_instruction prompt inputs
    chat_history chathistory message documents query examples texts`),
  tools: new Set(['tools', 'functions', 'toolconfig', 'tool_config']),
  top: new Set(['input', 'session', 'response', 'request', 'params', 'body']),
}

/** Speaks of models: `model`, `fallback_models`, `deployment`, `engine`, … */
export const isModelKey = (key: string): boolean =>
  key.includes('model') || key.includes('deployment') || key.includes('fallback') || ENGINES.has(key)

const ENGINES: ReadonlySet<string> = new Set(['engine', 'engine_id', 'engineid'])

/** Leaves the choice of a model to something that is not in the request. */
export const isUndecidedKey = (key: string): boolean => UNDECIDED.has(key)

const UNDECIDED: ReadonlySet<string> = wordSet(`
  preset presets prompt_id promptid prompt_template assistant_id assistantid assistant agent agent_id
  agentid agent_reference bot_id botid workflow workflow_id router lora loras adapter adapter_id adapterid`)

/** Schemas, and what tools were called with and gave: any word may stand there. */
export const isSchemaKey = (key: string, isTalk: boolean, isTool: boolean): boolean =>
  SCHEMAS.has(key) ||
  (isTalk && CALLED_WITH.has(key)) ||
  (isTool && (key === 'parameters' || key === 'response'))

const SCHEMAS: ReadonlySet<string> = wordSet(`
  schema json_schema jsonschema input_schema inputschema output_schema outputschema response_schema
  responseschema response_json_schema responsejsonschema parameters_json_schema parametersjsonschema
  input_examples inputexamples`)
const CALLED_WITH: ReadonlySet<string> = new Set([
  ...['input', 'args', 'arguments', 'parameters', 'json', 'functionresponse', 'function_response', 'data'],
])

/** Names something that is kept at the vendor. An identifier that nobody knows counts as one. */
export function isReferenceKey(key: string, written: string): boolean {
  const word = key.includes('_') ? key.replaceAll('_', '') : key
  if (REFERENCES.has(word)) return true
  // Most keys end in another letter.
  if (!key.endsWith('d') && !key.endsWith('s')) return false
  return /(?:_ids?|[a-z]I[Dd]s?)$/.test(written) || /_ids?$/.test(key) ? !HARMLESS.has(word) : false
}

const REFERENCES: ReadonlySet<string> = wordSet(`
  previousresponseid previousinteractionid conversationid cachedcontent cacheid containerid fileid fileids
  inputfileid trainingfile validationfile vectorstoreid vectorstoreids promptid assistantid agentid threadid
  skillid documentid libraryid libraryids collectionid collectionids filesearchstorenames ragresources
  ragcorpora datastore generationid videoid imageid uploadid batchid gcsuri s3uri s3location agentreference`)
/** Of the conversation, of the caller's own bookkeeping, or of nothing that is kept. */
const HARMLESS: ReadonlySet<string> = wordSet(`
  toolcallid tooluseid callid userid enduserid requestid traceid spanid clientid modelid deploymentid
  engineid voiceid messageid sessionid approvalrequestid itemid applicationid appid correlationid
  inferenceid advisorid servertoolid customid connectorid stoptokenids tokenids eostokenid bostokenid
  padtokenid allowedtokenids badwordsids`)
