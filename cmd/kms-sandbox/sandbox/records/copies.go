package records

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"

	"coldkms/cmd/kms-sandbox/sandbox"
	"coldkms/shared/chain"
)

// AddSent keeps a transaction until a block has it.
func (d *DB) AddSent(ctx context.Context, id chain.ID, msg *wire.MsgTx) error {
	var raw bytes.Buffer
	if err := msg.Serialize(&raw); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	return d.change(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO sent (chain, tx_id, raw) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
			id, msg.TxHash().String(), raw.Bytes())
		return err
	})
}

// Sent returns the transactions that are in no block, in the order sent.
func (d *DB) Sent(ctx context.Context, id chain.ID) ([]*wire.MsgTx, error) {
	rows, err := d.db.QueryContext(ctx, "SELECT raw FROM sent WHERE chain = ? ORDER BY seq", id)
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	defer rows.Close()
	var list []*wire.MsgTx
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, fmt.Errorf("records: %w", err)
		}
		msg := new(wire.MsgTx)
		if err := msg.Deserialize(bytes.NewReader(raw)); err != nil {
			return nil, fmt.Errorf("records: %w", err)
		}
		list = append(list, msg)
	}
	return list, rows.Err()
}

// AddBlocks keeps new blocks, and no longer the transactions that are in them.
func (d *DB) AddBlocks(ctx context.Context, id chain.ID, first int64, blocks []*wire.MsgBlock) error {
	return d.change(ctx, func(tx *sql.Tx) error {
		for i, block := range blocks {
			var raw bytes.Buffer
			if err := block.Serialize(&raw); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, "INSERT INTO block (chain, height, raw) VALUES (?, ?, ?)", id, first+int64(i), raw.Bytes())
			if err != nil {
				return err
			}
			for _, mined := range block.Transactions {
				_, err := tx.ExecContext(ctx, "DELETE FROM sent WHERE chain = ? AND tx_id = ?", id, mined.TxHash().String())
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Block returns the block at a height.
func (d *DB) Block(ctx context.Context, id chain.ID, height int64) (*wire.MsgBlock, error) {
	var raw []byte
	err := d.db.QueryRowContext(ctx, "SELECT raw FROM block WHERE chain = ? AND height = ?", id, height).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("records: block %d: %w", height, sandbox.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	block := new(wire.MsgBlock)
	if err := block.Deserialize(bytes.NewReader(raw)); err != nil {
		return nil, fmt.Errorf("records: block %d: %w", height, err)
	}
	return block, nil
}

// Height returns the highest block's.
func (d *DB) Height(ctx context.Context, id chain.ID) (int64, error) {
	var height int64
	err := d.db.QueryRowContext(ctx, "SELECT COALESCE(MAX(height), 0) FROM block WHERE chain = ?", id).Scan(&height)
	return height, err
}
