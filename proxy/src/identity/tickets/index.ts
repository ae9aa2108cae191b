export { createTickets, type TicketHolder, type Tickets } from './tickets.ts'
