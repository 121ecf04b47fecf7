/** Hosts that one activity reads: several workers share a larger fleet, and a retry repeats little. */
export const HOSTS_PER_ACTIVITY = 50;
