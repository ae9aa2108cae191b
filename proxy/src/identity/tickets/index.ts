export { createTickets, type TicketHolder, type Tickets, type TicketUse } from './tickets.ts'
