/**
 * Where an error was thrown, and who called that; more is not kept. Of every promise the SDK takes the stack, for a query that nobody asks,
 * and looks each frame up in the bundle's source map: two thirds of what a workflow costs its worker.
 */
Error.stackTraceLimit = 2;
