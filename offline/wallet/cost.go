package wallet

// CostOf reads what one try of the password of the wallet at path costs. It
// needs no password, and is not authenticated before Open.
func (s Store) CostOf(path string) (Cost, error) {
	file, err := s.read(path)
	if err != nil {
		return Cost{}, err
	}
	h, err := parseHeader(file)
	if err != nil {
		return Cost{}, err
	}
	return h.cost, nil
}
