package daemon

import (
	"errors"
	"fmt"
	"time"

	"coldkms/online"
	"coldkms/online/tatum"
)

// named says which API key an error is about. It never has the key in it.
func named(k Key, err error) error {
	if k.Name == "" {
		return err
	}
	return fmt.Errorf("API key %s: %w", k.Name, err)
}

// once logs something that stays as it is only when it begins.
func (d *Daemon) once(about, text string) bool {
	if d.said == nil {
		d.said = make(map[string]string)
	}
	if d.said[about] == text {
		return false
	}
	if len(d.said) > maxSaid {
		clear(d.said)
	}
	d.said[about] = text
	d.Log.Warn(text, "about", about)
	return true
}

// maxSaid bounds what is remembered of what was said.
const maxSaid = 100_000

// trouble notes what keeps a step from its end.
func (d *Daemon) trouble(round *Round, step string, err error) {
	round.Troubles[step] = err.Error()
	round.Err = errors.Join(round.Err, err)
	if d.said == nil {
		d.said = make(map[string]string)
	}
	if d.said["step "+step] == err.Error() {
		return
	}
	d.said["step "+step] = err.Error()
	d.Log.Error("step did not come to its end", "step", step, "error", err.Error(), "outcome", tatum.Outcome(err))
}

func (d *Daemon) problems(round *Round, step string, list []online.Problem) {
	round.Problems = append(round.Problems, list...)
	for _, p := range list {
		if d.said == nil {
			d.said = make(map[string]string)
		}
		if about := "item " + p.ID; d.said[about] != string(p.Code) {
			if len(d.said) > maxSaid {
				clear(d.said)
			}
			d.said[about] = string(p.Code)
			d.Log.Warn("item does not go on", "step", step, "id", p.ID, "code", string(p.Code), "reason", p.Reason)
		}
	}
}

// finish sums a round up.
func (d *Daemon) finish(round *Round) {
	round.Took = d.Now().Sub(round.At).Round(time.Millisecond)
	round.Usage = make(map[string]tatum.Usage, len(d.Keys))
	for _, k := range d.Keys {
		round.Usage[k.Name] = k.Pace.Usage()
	}
	if round.Fetched+round.Exported+round.Imported+round.Refused+round.Broadcast+round.Completed+round.Confirmed > 0 {
		d.Log.Info("round", "number", round.Number, "took", round.Took.String(), "fetched", round.Fetched, "prepared", round.Prepared, "exported", round.Exported,
			"imported", round.Imported, "refused", round.Refused, "broadcast", round.Broadcast, "completed", round.Completed, "confirmed", round.Confirmed)
	}
	if d.Saw != nil {
		d.Saw(*round)
	}
}
