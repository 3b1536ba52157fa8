module example.com/embedded

go 1.26.0

require guestpass v0.0.0

replace guestpass => ../..
