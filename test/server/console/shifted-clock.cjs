// Loaded into the service before it starts: its clock is THOTH_CLOCK_DAYS behind, and goes on by one with each SIGUSR2.
const DAY = 86_400_000;
const now = Date.now;
let behind = Number(process.env.THOTH_CLOCK_DAYS) * DAY;
Date.now = () => now() - behind;
process.on('SIGUSR2', () => {
  behind = Math.max(0, behind - DAY);
});
