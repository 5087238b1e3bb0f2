// The cause of an error that is the connection's, and says nothing of what was asked for.

export const NO_ANSWER = "no answer";
