package main

import (
	"context"
	"errors"
	"net/http"

	"guestpass/api"
	"guestpass/auth"
	"guestpass/store"
)

// orders is what assistants may do in the shop. It has no tables of its own: it uses the shop's.
func orders(s *shop) api.Resource {
	return api.Resource{
		Name: "orders",
		Scopes: []api.Scope{
			{Name: "orders:read", Description: "See your organization's orders"},
			{Name: "orders:write", Description: "Cancel orders"},
		},
		Register: s.register,
	}
}

// Order is an order as assistants see it.
type Order struct {
	ID    string `json:"order_id" doc:"Identifier of the order"`
	Item  string `json:"item" doc:"What was ordered"`
	State string `json:"state" enum:"open,cancelled" doc:"open or cancelled"`
}

type ordersOutput struct {
	Body struct {
		Orders []Order `json:"orders" doc:"The organization's orders, at most 100"`
	}
}

type orderInput struct {
	ID string `path:"order_id" pattern:"^ord_[0-9a-f]{32}$" doc:"Order identifier, as listOrders returns it"`
}

type orderOutput struct{ Body Order }

func (s *shop) register(service *api.Service) {
	api.Register(service, api.Operation{
		ID: "listOrders", Method: http.MethodGet, Path: "/api/v1/orders",
		Summary: "List orders", Description: "Returns the orders of the signed-in person's organization.",
		Access: auth.Scope("orders:read"),
	}, func(ctx context.Context, _ *struct{}) (*ordersOutput, error) {
		out := &ordersOutput{}
		var err error
		out.Body.Orders, err = s.orders(ctx, auth.From(ctx).OrganizationID)
		return out, err
	})
	api.Register(service, api.Operation{
		ID: "cancelOrder", Method: http.MethodPost, Path: "/api/v1/orders/{order_id}/cancel",
		Summary: "Cancel an order", Description: "Cancels an open order and returns it. The item is in stock again.",
		Access: auth.Scope("orders:write"), Effect: api.Write,
		Done: "Cancelled an order",
	}, func(ctx context.Context, in *orderInput) (*orderOutput, error) {
		return api.InTransaction(ctx, service, func(tx *store.Tx) (*orderOutput, error) {
			// The shop's tables and the record of the change: both are kept, or neither.
			item, err := cancel(ctx, tx.Conn(), auth.From(ctx).OrganizationID, in.ID)
			if errors.Is(err, errNoOrder) {
				return nil, api.NotFoundError("open order")
			}
			tx.Changed(in.ID, orderRecord{1, "open"}, orderRecord{1, "cancelled"})
			return &orderOutput{Order{in.ID, item, "cancelled"}}, err
		})
	})
}

// An orderRecord is what the record of changes keeps of an order.
type orderRecord struct {
	Format int    `json:"v"`
	State  string `json:"state"`
}

func (s *shop) orders(ctx context.Context, customer string) ([]Order, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT id, item, state FROM orders WHERE customer = $1 ORDER BY id LIMIT 100",
		customer)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := []Order{}
	for rows.Next() {
		var o Order
		if err := rows.Scan(&o.ID, &o.Item, &o.State); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, rows.Err()
}
