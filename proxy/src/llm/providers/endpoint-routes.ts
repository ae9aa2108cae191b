import type { EndpointGroup } from './ports.ts'

/**
 * What the vendors' API references list, as data. A route is a method and a pattern over the decoded path in lower
 * case: `*` is one segment, `**` at the end any number of them, also none, and `{a|b}` one of these words. GET stands
 * for HEAD as well, `*` for every method. The first route that fits decides; what fits none is `other`.
 */
export interface Routes {
  readonly group: EndpointGroup
  /** Whether the answer tells the tokens, or none are used. */
  readonly metered: boolean
  /** Nothing is charged for it, whatever its answer says. */
  readonly free?: boolean
  readonly routes: readonly string[]
}

/** `routes` is a list by spaces, each `METHOD:pattern`. */
const group = (name: EndpointGroup, metered: boolean, routes: string): Routes => ({
  group: name,
  metered,
  routes: routes.split(/\s+/).filter((route) => route !== ''),
})

/** Of which the vendors' price pages say nothing, or that it is free. */
const free = (name: EndpointGroup, routes: string): Routes => ({ ...group(name, true, routes), free: true })

/**
 * Keeping a file costs nothing; what else is done with files may (Zhipu reads them page by page at `files/parser/create` and `files/ocr`).
 * Looking at them and taking them away is free in every group: endpoints.ts.
 */
const FILES: readonly Routes[] = [
  free(
    'files',
    '*:files *:files/upload *:uploads *:uploads/* *:uploads/*/{parts|complete|cancel} *:datasets',
  ),
  group('files', false, '*:files/** *:uploads/** *:datasets/**'),
]

/**
 * Stopping what was begun is no new work, by the vendors' references: what was done until then is charged to the request that
 * began it. (Going on with it, as `resume` of a tuning job does, is.)
 */
const CANCELS: readonly Routes[] = [
  free('batches', 'POST:{batches|messages/batches|batch/jobs|embed-jobs}/*/cancel POST:batches/*:cancel'),
  free('stored', 'POST:{responses|threads/*/runs|vector_stores/*/file_batches}/*/cancel'),
  free(
    'deferred',
    'POST:{predictions|tasks}/*/cancel POST:operations/*:cancel POST:models/*/operations/*:cancel',
  ),
  free('fine_tuning', 'POST:{fine_tuning/jobs|fine-tunes|trainings}/*/cancel POST:fine_tuning/jobs/*/pause'),
]

/** OpenAI's, Anthropic's and what those who follow them have: developers.openai.com/api/reference, platform.claude.com/docs/en/api. */
export const COMMON: readonly Routes[] = [
  ...CANCELS,
  group(
    'inference',
    true,
    `POST:chat/completions POST:completions POST:fim/completions POST:responses POST:responses/compact
     POST:messages POST:embeddings POST:moderations`,
  ),
  free('inference', 'POST:responses/input_tokens POST:messages/count_tokens POST:tokenize POST:detokenize'),
  group(
    'inference',
    false,
    `POST:images/{generations|edits|variations} POST:audio/{speech|transcriptions|translations} POST:rerank
     POST:reranking POST:classify POST:score POST:complete`,
  ),
  group('models', true, 'GET:models/** GET:voices'),
  group(
    'fine_tuning',
    false,
    `POST:models POST:models/upload DELETE:models/** PATCH:models/** *:fine_tuning/** *:fine-tuning/** *:fine_tunings/**
     *:fine-tunes/** *:fine_tunes/** *:finetune/** *:finetunes/** *:finetuning/** *:trainings/**`,
  ),
  ...FILES,
  group('batches', false, '*:batches/** *:batch/** *:messages/batches/** *:embed-jobs/**'),
  group(
    'realtime',
    false,
    `*:realtime/** POST:chatkit/sessions/** *:auth_tokens/** *:client_secrets/** *:single-use-token/**
     *:audio/transcriptions/realtime`,
  ),
  group(
    'deferred',
    false,
    `*:videos/** *:video/** *:predictions/** *:async/** *:async-result/** *:async-invoke/** *:jobs/** *:tasks/**
     *:queue/** *:chat/deferred-completion/** *:operations/** *:status/** POST:images/generations:submit`,
  ),
  group(
    'stored',
    false,
    `GET:chat/completions *:chat/completions/** GET:responses *:responses/** GET:messages *:conversations/**
     *:assistants/** *:threads/** *:vector_stores/** *:containers/** *:prompts/** *:evals/** *:skills/**
     *:chatkit/** *:agents/** *:sessions/** *:environments/** *:memory_stores/** *:libraries/** *:collections/**
     *:documents/** *:generation/** *:presets/** *:knowledge/** *:interactions/**`,
  ),
  group(
    'organization',
    false,
    `*:organization/** *:organizations/** *:projects/** *:admin/** *:keys/** *:key/** *:api-key/** *:api_keys/**
     *:api-keys/** *:apikeys/** *:credits/** *:billing/** *:dashboard/** *:usage/** *:users/** *:user/** *:account/**
     *:accounts/** *:auth/** *:activity/** *:guardrails/** *:balance *:workspace/** *:workspaces/** *:vaults/**
     *:deployments/** *:endpoints/** *:webhooks/** *:compute/** *:service-accounts/** *:check-api-key`,
  ),
]

const GOOGLE_INFERENCE = '*:{generatecontent|streamgeneratecontent|generateanswer}'
const GOOGLE_COUNTING = '*:{counttokens|computetokens}'
const GOOGLE_EMBEDDING = '*:{embedcontent|batchembedcontents}'

/** ai.google.dev/api */
const GOOGLE: readonly Routes[] = [
  ...CANCELS,
  group(
    'inference',
    true,
    `POST:{models|tunedmodels|dynamic}/${GOOGLE_INFERENCE} POST:{models|tunedmodels}/${GOOGLE_EMBEDDING}
     POST:interactions`,
  ),
  free('inference', `POST:{models|tunedmodels|dynamic}/${GOOGLE_COUNTING}`),
  group('inference', false, 'POST:models/*:predict'),
  group('batches', false, 'POST:{models|tunedmodels}/*:{batchgeneratecontent|asyncbatchembedcontent}'),
  group('deferred', false, 'POST:models/*:predictlongrunning *:models/*/operations/** *:generatedfiles/**'),
  group('fine_tuning', false, '*:tunedmodels/**'),
  group(
    'realtime',
    false,
    '*:authtokens/** *:google.ai.generativelanguage.*.generativeservice.{bidigeneratecontent|bidigeneratecontentconstrained}',
  ),
  group('stored', false, '*:cachedcontents/** *:corpora/** *:filesearchstores/** *:ragstores/**'),
  ...FILES,
]

/** cloud.google.com/vertex-ai/docs/reference/rest; `projects/…/locations/…` before these is taken off. */
const VERTEX_INFERENCE = '*:{generatecontent|streamgeneratecontent|rawpredict|streamrawpredict}'
const VERTEX: readonly Routes[] = [
  ...CANCELS,
  free('batches', 'POST:batchpredictionjobs/*:cancel'),
  free('deferred', 'POST:publishers/*/models/*/operations/*:cancel'),
  free('fine_tuning', 'POST:{tuningjobs|customjobs|trainingpipelines|pipelinejobs}/*:cancel'),
  group(
    'inference',
    true,
    `POST:publishers/*/models/${VERTEX_INFERENCE} POST:endpoints/${VERTEX_INFERENCE}
     POST:endpoints/*/{chat/completions|completions|embeddings|responses|messages}`,
  ),
  free('inference', `POST:publishers/*/models/${GOOGLE_COUNTING} POST:endpoints/${GOOGLE_COUNTING}`),
  group(
    'inference',
    false,
    `POST:publishers/*/models/*:{predict|serverstreamingpredict|embedcontent|directpredict|explain}
     POST:endpoints/*:{predict|serverstreamingpredict|directpredict|explain}`,
  ),
  group('models', true, 'GET:publishers/*/models/** GET:models/**'),
  group(
    'deferred',
    false,
    `POST:publishers/*/models/*:{predictlongrunning|fetchpredictoperation} *:operations/**
     POST:endpoints/*:{predictlongrunning|fetchpredictoperation} *:publishers/*/models/*/operations/**`,
  ),
  group('batches', false, '*:batchpredictionjobs/**'),
  group(
    'fine_tuning',
    false,
    '*:tuningjobs/** *:customjobs/** *:trainingpipelines/** *:pipelinejobs/** *:models/**',
  ),
  group(
    'stored',
    false,
    '*:cachedcontents/** *:ragcorpora/** *:reasoningengines/** *:interactions/** *:featurestores/**',
  ),
  free('files', '*:datasets *:ragfiles'),
  group('files', false, '*:datasets/** *:ragfiles/**'),
  group('realtime', false, '*:google.cloud.aiplatform.*.llmbidiservice.bidigeneratecontent'),
]

/** learn.microsoft.com/azure/ai-services/openai/reference */
const AZURE: readonly Routes[] = [
  free('inference', 'POST:moderations'),
  group(
    'inference',
    true,
    'POST:deployments/*/{chat/completions|completions|embeddings|extensions/chat/completions|responses}',
  ),
  group(
    'inference',
    false,
    'POST:deployments/*/images/{generations|edits} POST:deployments/*/audio/{speech|transcriptions|translations}',
  ),
  group('batches', false, '*:deployments/*/batches/** *:deployments/*/chat/completions/batches/**'),
  group('models', true, 'GET:deployments GET:deployments/*'),
  group('realtime', false, '*:realtimeapi/** *:deployments/*/realtime/**'),
  group('deferred', false, '*:images/generations:submit *:operations/** *:deployments/*/videos/**'),
  group('stored', false, '*:ingestion/**'),
]

/** docs.aws.amazon.com/bedrock/latest/APIReference, Amazon Bedrock Runtime */
const BEDROCK: readonly Routes[] = [
  group('inference', true, 'POST:model/*/{converse|converse-stream|invoke|invoke-with-response-stream}'),
  free('inference', 'POST:model/*/count-tokens'),
  group('inference', false, 'POST:guardrail/*/version/*/apply'),
  group('realtime', false, '*:model/*/invoke-with-bidirectional-stream'),
]

/** docs.cohere.com/reference */
const COHERE: readonly Routes[] = [
  group('inference', true, 'POST:chat POST:generate POST:embed POST:summarize'),
  group('stored', false, '*:connectors/**'),
]

/** docs.mistral.ai/api; an agent is stored there, so what uses one is not known by the request. */
const MISTRAL: readonly Routes[] = [
  group('inference', false, 'POST:ocr'),
  group('inference', true, 'POST:{chat/moderations|classifications|chat/classifications}'),
  group('stored', false, '*:agents/** *:audio/voices/** *:workflows/** *:connectors/**'),
]

/** github.com/ollama/ollama/blob/main/docs/api.md */
const OLLAMA: readonly Routes[] = [
  group('inference', true, 'POST:chat POST:generate POST:embed POST:embeddings'),
  group('inference', false, 'POST:web_search POST:web_fetch'),
  free('models', 'GET:tags GET:ps GET:version POST:show'),
  group('organization', false, '*:pull *:push *:create *:copy *:delete *:blobs/** *:me *:signout'),
]

/** elevenlabs.io/docs/api-reference; what it uses is characters and seconds. */
const ELEVENLABS: readonly Routes[] = [
  group(
    'realtime',
    false,
    '*:text-to-speech/*/{stream-input|multi-stream-input} *:convai/conversation/** *:speech-to-text/realtime',
  ),
  group(
    'inference',
    false,
    `POST:text-to-speech/** POST:speech-to-speech/** POST:text-to-dialogue/** POST:sound-generation
     POST:audio-isolation/** POST:speech-to-text POST:music/**`,
  ),
  group('models', true, 'GET:voices GET:voices/*'),
  group(
    'stored',
    false,
    '*:history/** *:voices/** *:speech-to-text/transcripts/** *:studio/** *:pronunciation-dictionaries/** *:text-to-voice/**',
  ),
  group('deferred', false, '*:dubbing/**'),
  group('organization', false, '*:convai/** *:workspace/**'),
]

/** replicate.com/docs/reference/http */
const REPLICATE: readonly Routes[] = [
  group(
    'deferred',
    false,
    '*:models/*/*/predictions/** *:deployments/*/*/predictions/** *:models/*/*/versions/*/predictions/**',
  ),
  group('fine_tuning', false, '*:models/*/*/versions/*/trainings/**'),
  group('models', true, 'GET:collections/** GET:hardware GET:search'),
]

const ZAI: readonly Routes[] = [
  group('inference', false, 'POST:web_search POST:reader POST:layout_parsing'),
  free('inference', 'POST:tokenizer'),
]

/** By the provider's name: tried before `COMMON`. */
export const VENDOR_ROUTES: ReadonlyMap<string, readonly Routes[]> = new Map(
  Object.entries<readonly Routes[]>({
    google: GOOGLE,
    // Moderations are free there (developers.openai.com/api/docs/pricing).
    openai: [free('inference', 'POST:moderations')],
    vertex: VERTEX,
    azure: AZURE,
    bedrock: BEDROCK,
    cohere: COHERE,
    mistral: MISTRAL,
    ollama: OLLAMA,
    'ollama-cloud': OLLAMA,
    elevenlabs: ELEVENLABS,
    replicate: REPLICATE,
    zai: ZAI,
    zhipu: ZAI,
    opencode: GOOGLE,
    // docs.x.ai/api-reference
    xai: [
      group(
        'models',
        true,
        'GET:{language-models|image-generation-models|embedding-models|video-generation-models}/**',
      ),
      free('inference', 'POST:tokenize-text'),
      group('inference', false, 'POST:{tts|stt}'),
    ],
    // openrouter.ai/docs/api-reference
    openrouter: [
      group('models', true, 'GET:providers GET:embeddings/models GET:endpoints/zdr'),
      // A key of its own for the account comes out of these.
      group('organization', false, '*:auth/** *:keys/**'),
    ],
    // docs.together.ai/reference
    together: [group('models', true, 'GET:hardware'), group('deferred', false, '*:evaluation/**')],
    // docs.fireworks.ai/api-reference; below /v1/accounts the account comes first
    fireworks: [
      group('inference', false, 'POST:workflows/accounts/*/models/*/{text_to_image|audio_to_text}'),
      group('deferred', false, '*:workflows/**'),
      group('models', true, 'GET:*/models/**'),
      group('files', true, '*:*/datasets/**'),
      group('batches', false, '*:*/batchinferencejobs/**'),
      group('fine_tuning', false, '*:*/{supervisedfinetuningjobs|reinforcementfinetuningjobs|models}/**'),
      group('organization', false, '*:*/{users|apikeys|deployments|deployedmodels|quotas|secrets}/**'),
    ],
    // docs.perplexity.ai/api-reference
    perplexity: [
      group('inference', false, 'POST:search'),
      group('inference', true, 'POST:contextualizedembeddings'),
      group('organization', false, '*:generate_auth_token *:revoke_auth_token'),
    ],
    // developers.cloudflare.com/api/resources/ai
    cloudflare: [group('inference', false, 'POST:run/**')],
    github: [group('inference', true, 'POST:*/inference/{chat/completions|embeddings}')],
    // huggingface.co/docs/inference-providers
    huggingface: [
      group('deferred', false, 'POST:models/*/*/predictions'),
      group('inference', true, 'POST:models/*/*/v1/{chat/completions|completions|embeddings}'),
      group('inference', false, 'POST:models/*/* POST:models/*/*/pipeline/*'),
    ],
    // deepinfra.com/docs/inference
    deepinfra: [group('inference', false, 'POST:inference/**')],
    // alibabacloud.com/help/model-studio
    qwen: [
      ...CANCELS,
      group('inference', true, 'POST:services/aigc/{text-generation|multimodal-generation}/generation'),
      group('inference', false, 'POST:services/{embeddings|rerank}/**'),
      group('deferred', false, '*:services/** *:tasks/**'),
      group('stored', false, '*:apps/**'),
      group('realtime', false, '*:tokens/**'),
    ],
    // volcengine.com/docs/82379
    volcengine: [
      group('inference', true, 'POST:embeddings/multimodal POST:tokenization'),
      group('deferred', false, '*:contents/generations/**'),
      group('stored', false, '*:context/** *:bots/**'),
    ],
    // platform.minimax.io/docs/api-reference
    minimax: [
      group('inference', true, 'POST:text/chatcompletion_v2'),
      group('inference', false, 'POST:t2a_v2 POST:image_generation POST:music_generation'),
      group('deferred', false, '*:video_generation *:query/** *:t2a_async_v2 *:t2a_async_query_v2'),
      group('stored', false, '*:voice_clone *:voice_design *:get_voice *:delete_voice'),
    ],
    moonshot: [
      free('inference', 'POST:tokenizers/estimate-token-count'),
      group('stored', false, '*:caching/**'),
    ],
    venice: [
      group('inference', false, 'POST:image/{generate|edit|upscale}'),
      group('models', true, 'GET:image/styles GET:characters/**'),
    ],
    hyperbolic: [group('inference', false, 'POST:image/generation POST:audio/generation')],
    // ai-sdk.dev/providers/ai-sdk-providers/ai-gateway
    vercel: [
      group('inference', true, 'POST:{language-model|embedding-model}'),
      group('inference', false, 'POST:{image-model|reranking-model}'),
      group('deferred', false, 'POST:video-model'),
      group('models', true, 'GET:config'),
    ],
    upstage: [group('inference', false, 'POST:')],
    ai21: [
      group('files', true, '*:library/**'),
      group('stored', false, '*:maestro/** *:conversational-rag/**'),
    ],
    siliconflow: [group('stored', false, '*:uploads/**')],
  }),
)

/** An owner's own provider may be a server of any of these kinds. */
export const OWN_ROUTES: readonly Routes[] = [...OLLAMA, ...GOOGLE]
