export { createChatLedger, type OpenedTurn, resealChatKeys } from './chat-ledger.ts'
export { createChatStore } from './chat-store.ts'
export { type Along, type ChatEvent, type Chats, createChats } from './chats.ts'
