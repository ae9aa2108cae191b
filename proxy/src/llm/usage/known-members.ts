import { wordSet } from '../../kernel/index.ts'

/**
 * What the members of a body do to what a request uses, as the vendors' documents of November 2026 say. Under a limit only
 * members pass that are on these lists: what one that nobody here knows costs cannot be told.
 */

/** Members at the top whose text, images and files the model reads. */
export const CONTENT_MEMBERS: ReadonlySet<string> = wordSet(`
  messages input inputs contents content prompt suffix system systemInstruction system_instruction
  instructions chat_history message preamble documents query texts requests images template`)

/** What the model reads then is stored at the vendor: nobody here can tell how long it is. */
export const STORED_MEMBERS: ReadonlySet<string> = new Set([
  ...['previous_response_id', 'conversation', 'conversation_id', 'cachedContent', 'cached_content'],
])

/** Parameters that change neither the number of tokens beyond the limits that are read, nor the price of one. */
export const PLAIN_MEMBERS: ReadonlySet<string> = wordSet(
  // What deciding-members.ts and answer-limits.ts read.
  `model models stream stream_options n best_of num_generations candidateCount candidate_count
  num_return_sequences background deferred max_tokens inferenceConfig max_completion_tokens
  max_output_tokens max_tokens_to_sample generationConfig generation_config options modelId
  anthropic_version anthropic_beta`,
  // OpenAI's forms and those who follow them.
  `temperature top_p top_k min_p top_a typical_p tfs_z mirostat seed random_seed stop stop_token_ids
  frequency_penalty presence_penalty repetition_penalty repeat_penalty length_penalty logit_bias logprobs
  top_logprobs prompt_logprobs echo user safety_identifier prompt_cache_key metadata store response_format
  text format functions function_call tool_choice parallel_tool_calls max_tool_calls reasoning
  reasoning_effort reasoning_format reasoning_split include_reasoning enable_thinking thinking_budget
  thinking verbosity include truncation encoding_format dimensions input_type guided_json guided_regex
  guided_choice guided_grammar chat_template_kwargs add_generation_prompt continue_final_message
  skip_special_tokens ignore_eos min_tokens usage provider route transforms user_id session_id safe_prompt
  safe_mode disable_reasoning clear_thinking do_sample request_id service_tier serviceTier
  prompt_cache_retention prompt_mode incremental_output result_format structured_outputs`,
  // Perplexity, whose searches are in the money that it tells.
  `search_mode search_domain_filter search_recency_filter return_images return_related_questions
  language_preference disable_search`,
  // Anthropic.
  'stop_sequences cache_control context_management output_config output_format speed inference_geo',
  // Gemini.
  `safetySettings safety_settings toolConfig tool_config labels taskType task_type title
  outputDimensionality output_dimensionality modalities autoTruncate`,
  // Bedrock.
  'additionalModelRequestFields additionalModelResponseFieldPaths requestMetadata outputConfig',
  // Ollama.
  'raw keep_alive think context truncate',
  // Cohere.
  `p k citation_options citation_quality prompt_truncation safety_mode strict_tools embedding_types
  output_dimension top_n rank_fields return_documents priority max_tokens_per_doc max_chunks_per_doc
  raw_prompting`,
)

/** Under a limit on money these have to say what the price is for. */
export const TIER_MEMBERS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  // OpenAI's `priority` costs 1.7 to 2.5 times as much, Google's 1.8 times; `auto` may lead there.
  ['service_tier', new Set(['default', 'standard', 'standard_only', 'flex', 'on_demand'])],
  ['serviceTier', new Set(['default', 'standard', 'flex'])],
  // Anthropic's `fast` costs 6 times as much, and `us` 1.1 times.
  ['speed', new Set(['standard'])],
  ['inference_geo', new Set(['global', 'not_available'])],
  // A cache that is kept for an hour is written at twice the price of input, not at 1.25 times it.
  ['ttl', new Set(['5m'])],
])

/** Where a list of kinds of answers stands; all others than text have prices of their own. */
export const MODALITY_MEMBERS: ReadonlySet<string> = wordSet(`
  modalities responseModalities response_modalities`)

/** Gemini's `generationConfig`. */
export const GENERATION_MEMBERS: ReadonlySet<string> = new Set(
  [
    ...['temperature', 'topP', 'topK', 'maxOutputTokens', 'candidateCount', 'stopSequences', 'seed'],
    ...['responseMimeType', 'responseSchema', 'responseJsonSchema', 'presencePenalty', 'frequencyPenalty'],
    ...['responseLogprobs', 'logprobs', 'thinkingConfig', 'mediaResolution', 'responseModalities'],
    ...['enableEnhancedCivicAnswers'],
  ].flatMap((name) => [name, name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]),
)

/** Bedrock's `additionalModelRequestFields`; others might set a limit or a price anew. */
export const NATIVE_MEMBERS: ReadonlySet<string> = new Set([
  ...['thinking', 'reasoning_config', 'reasoning_effort', 'top_k', 'topK', 'anthropic_beta'],
])

/** Objects that say how much a model may think. */
export const THINKING_MEMBERS: ReadonlySet<string> = new Set(['thinking', 'reasoning', 'reasoning_config'])

/** In these: `budget_tokens` (Anthropic), `token_budget` (Cohere), `max_tokens` (OpenRouter). */
export const THINKING_BUDGET = /budget|max_?tokens/i

/** Kinds of parts, items and blocks whose text stands in the body. */
export const TEXT_TYPES: ReadonlySet<string> = wordSet(`
  text input_text output_text refusal message function function_call custom function_call_output
  custom_tool_call custom_tool_call_output tool_call tool_result tool_use thinking redacted_thinking
  reasoning reasoning_text summary_text reasoning.text reasoning.summary reasoning.encrypted search_result
  web_search_call server_tool_use web_search_tool_result web_search_result local_shell_call
  local_shell_call_output computer_call computer_call_output apply_patch_call apply_patch_call_output
  ephemeral default computer_screenshot base64 url_citation mcp_list_tools tool_reference url`)

export const IMAGE_TYPES: ReadonlySet<string> = new Set(['image', 'image_url', 'input_image'])

/** Tools that the agent itself runs; all others are the vendor's, which charges for them or lets the model go on by itself. */
export const AGENT_TOOL =
  /^(?:function|custom|local_shell|apply_patch|computer|computer_use_preview|(?:bash|text_editor|computer|memory)_\d{8})$/

export const AGENT_TOOL_MEMBERS: ReadonlySet<string> = wordSet(`
  type function name description parameters strict custom format input_schema input_examples cache_control
  defer_loading eager_input_streaming display_width_px display_height_px display_number display_width
  display_height environment enable_zoom max_characters functionDeclarations function_declarations toolSpec
  cachePoint parameter_definitions computerUse computer_use inputSchema json`)

/** Members, at any depth of what the model reads, whose own members are the agent's and mean nothing to a vendor. */
export const OPAQUE_MEMBERS: ReadonlySet<string> = wordSet(`
  arguments args json response annotations citations logprobs metadata action input_schema parameters schema
  safety_settings encrypted_content signature`)
