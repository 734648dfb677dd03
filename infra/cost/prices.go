package cost

import (
	_ "embed"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed prices.yaml
var priceFile []byte

// Price is what one unit of something costs.
type Price struct {
	USD    float64 `yaml:"usd"`
	Per    string  `yaml:"per"`
	Source string  `yaml:"source"`
}

// Prices are those of one region at one date.
type Prices struct {
	Region string           `yaml:"region"`
	Date   string           `yaml:"date"`
	Of     map[string]Price `yaml:"prices"`
}

// hours are those of a month, as AWS counts: https://calculator.aws
const hours = 730

// perMonth is how often a unit of time, or of amount, is paid for in a month.
var perMonth = map[string]float64{"hour": hours, "month": 1, "GiB-month": 1, "GiB": 1, "million": 1}

// ListPrices reads the price file.
func ListPrices() (*Prices, error) {
	prices := &Prices{}
	decoder := yaml.NewDecoder(strings.NewReader(string(priceFile)))
	decoder.KnownFields(true)
	if err := decoder.Decode(prices); err != nil {
		return nil, fmt.Errorf("infra/cost/prices.yaml: %w", err)
	}
	for name, price := range prices.Of {
		if price.USD <= 0 || price.Source == "" || perMonth[price.Per] == 0 {
			return nil, fmt.Errorf("infra/cost/prices.yaml: %s: usd %v per %q from %q: each price needs an amount, one of "+
				"hour, month, GiB-month, GiB and million, and a source", name, price.USD, price.Per, price.Source)
		}
	}
	return prices, nil
}

// monthly is what an amount of something costs in a month.
func (p *Prices) monthly(name string, amount float64) (float64, error) {
	price, known := p.Of[name]
	if !known {
		return 0, fmt.Errorf("infra/cost/prices.yaml has no price of %s: add it, with its source", name)
	}
	return price.USD * perMonth[price.Per] * amount, nil
}
