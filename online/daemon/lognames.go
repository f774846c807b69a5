package daemon

// Names of log records, in the attribute "event". They are stable: programs that
// read the log rely on them. docs/DAEMON.md has the same table.
const (
	LogStarted      = "daemon_started"
	LogStopped      = "daemon_stopped"
	LogFailed       = "daemon_failed"
	LogNote         = "note"
	LogServer       = "http_server"
	logReport       = "report"
	logStepFailed   = "step_failed"
	logItemProblem  = "item_problem"
	logBroadcast    = "item_broadcast"
	logCompleted    = "item_completed"
	logConfirmed    = "item_confirmed"
	logHealed       = "item_healed"
	logImported     = "result_imported"
	logResultNote   = "result_note"
	logFileBad      = "file_bad"
	logFileIgnored  = "file_ignored"
	logDrop         = "drop_folder"
	logPlaced       = "request_placed"
	logRewritten    = "request_rewritten"
	logRecalled     = "request_recalled"
	logAbandoned    = "request_abandoned"
	logExportNote   = "export_note"
	logFetchNote    = "fetch_note"
	logEventGivenUp = "event_given_up"
	LogStatusFailed = "status_write_failed"
	LogNotifyFailed = "systemd_notify_failed"
)
